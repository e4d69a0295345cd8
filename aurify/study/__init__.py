"""Many recipes, one machine: what each ingredient of a recipe is worth."""
