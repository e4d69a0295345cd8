"""Members side by side learn what each would have learnt alone."""

import torch
from torch import nn

from aurify.blocks.members import Members


class One(nn.Module):
    def __init__(self):
        super().__init__()
        self.leave = nn.Linear(3, 2)

    def forward(self, inputs, blend=None):
        return self.leave(inputs["numbers"])


def test_each_member_has_the_gradient_it_would_have_alone():
    both, x = Members([One(), One()]), {"numbers": torch.randn(5, 3)}
    output = both(x)
    assert output.shape == (5, 2, 2)
    (output**2).sum(-1).mean(1).sum().backward()
    for at, member in enumerate(both.members):
        found = [p.grad.clone() for p in member.parameters()]
        member.zero_grad()
        alone = One()
        alone.load_state_dict(member.state_dict())
        (alone(x) ** 2).sum(-1).sum().backward()
        for one, other in zip(found, alone.parameters(), strict=True):
            torch.testing.assert_close(one, other.grad)
        assert torch.equal(output[:, at], member(x))


def test_frozen_weights_stay_frozen():
    one = One()
    one.requires_grad_(False)
    assert not any(p.requires_grad for p in Members([one, One()]).members[0].parameters())


def test_penalties_weigh_on_a_member_as_if_it_were_alone():
    one, x = One(), {"numbers": torch.randn(5, 3)}
    both = Members([one, One()])
    both(x).mean().backward()
    before = one.leave.weight.grad.clone()
    both.zero_grad()
    (both(x).mean() + one.leave.weight.sum()).backward()
    torch.testing.assert_close(one.leave.weight.grad, before + 1)
