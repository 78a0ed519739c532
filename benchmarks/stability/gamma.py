"""4 γ times the gap of logits, compared with the squared Wasserstein distance: what the lead of real samples measures.

python benchmarks/stability/gamma.py

A discriminator is trained alone, between two isotropic Gaussians that stay at a known distance.
"""

import torch

from sparring.modalities.points.networks.dense import Discriminator
from sparring.randomness import seeded


def gap(distance: float, gamma: float, steps: int = 1500) -> float:
    """Return E D(x) - E D(G(z)) of a trained discriminator between N(0, I) and N((distance, 0), I)."""
    generator = torch.Generator().manual_seed(0)
    with seeded(0, "weights"):
        network = Discriminator(max_frequency=4.0)
    optimiser = torch.optim.Adam(network.parameters(), 2e-3, (0.0, 0.9))
    offset = torch.tensor([distance, 0.0])
    found = []
    for step in range(steps):
        # Samples to logits, and squared gradients with respect to the samples.
        real, fake = (torch.randn(256, 2, generator=generator) + shift for shift in (offset * 0, offset))
        real, fake = real.requires_grad_(), fake.requires_grad_()
        logits = [network(side).logits[0] for side in (real, fake)]
        input_gradients = [
            torch.autograd.grad(logit.sum(), side, create_graph=True)[0].square().sum(1).mean()
            for logit, side in zip(logits, (real, fake), strict=True)
        ]

        # The relativistic loss with R1 and R2; the gap is averaged over the last 300 steps.
        loss = torch.nn.functional.softplus(logits[1] - logits[0]).mean() + gamma / 2 * (
            input_gradients[0] + input_gradients[1]
        )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if step >= steps - 300:
            found.append(float((logits[0].mean() - logits[1].mean()).detach()))
    return sum(found) / len(found)


def main() -> None:
    torch.set_num_threads(1)
    print("| distance² | γ | gap | 4 γ gap |\n|---|---|---|---|")
    for distance, gamma in ((0.5, 0.3), (0.5, 1.0), (0.5, 3.0), (1.0, 0.3), (1.0, 1.0), (1.0, 3.0), (1.0, 10.0)):
        found = gap(distance, gamma)
        print(f"| {distance**2:g} | {gamma:g} | {found:.4f} | {4 * gamma * found:.3f} |", flush=True)


if __name__ == "__main__":
    main()
