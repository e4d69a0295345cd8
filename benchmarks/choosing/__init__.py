"""How the portfolio is found: tables, candidates, and the choice among them."""
