"""Spectra of noise and of single waves in closed form, and the effects of checkerboards and blur."""

import math

import numpy as np
import pytest
import torch
from scipy.special import digamma

from sparring.errors import SparringError
from sparring.modalities.images.spectrum import narrow_peak, radial_spectrum, spectrum_distance

FLOOR = math.log10((2 / 255) ** 2 / 12)


def noise(*shape, seed=0, spread=0.2):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * spread


def checkerboard(height, width):
    return (torch.arange(height)[:, None] + torch.arange(width)) % 2 * 2.0 - 1


def blurred(images):
    return sum(images.roll((down, across), (2, 3)) for down in (-1, 0, 1) for across in (-1, 0, 1)) / 9


def natural(count, height=28, width=28, *, seed):
    """Images with amplitudes ∝ 1 / frequency, as those of photos."""
    down, across = (torch.fft.fftfreq(side) for side in (height, width))
    amplitudes = 1 / torch.hypot(down[:, None], across).clamp(min=1 / max(height, width))
    return torch.fft.ifft2(torch.fft.fft2(noise(count, 1, height, width, seed=seed)) * amplitudes).real / 8


def wave(down, across, size=(28, 28)):
    """Unit wave of so many cycles per pixel downwards and across."""
    rows, columns = torch.arange(size[0])[:, None], torch.arange(size[1])
    return (2 * math.pi * (down * rows + across * columns)).cos()


def cloth(count, *, seed):
    """Soft images, half of them with stripes along or across, of 3 to 8 pixels."""
    generator = torch.Generator().manual_seed(seed)
    images = natural(count, seed=seed)
    for image in images[::2]:
        frequency, across = 1 / (3 + 5 * torch.rand((), generator=generator)), torch.rand((), generator=generator) < 0.5
        image += 0.3 * (wave(0, frequency) if across else wave(frequency, 0))
    return images


class TestRadialSpectrum:
    @pytest.mark.parametrize("size", [(32, 32), (31, 31), (20, 48)])
    def test_white_noise_is_flat_at_its_variance(self, size):
        found = radial_spectrum(noise(400, 1, *size))
        assert found.shape == (400, min(size) // 2 + 1)
        # Power is exponential at each frequency, and alike at opposite ones: E ln of a mean over n is ψ(n) − ln n.
        down, across = np.meshgrid(*(np.fft.fftfreq(side) * min(size) for side in size), indexing="ij")
        radii = np.rint(np.hypot(down, across))
        for radius in range(2, min(size) // 2 - 1):
            free = (radii == radius).sum() / 2
            expected = 2 * math.log10(0.2) + (digamma(free) - math.log(free)) / math.log(10)
            spread = found[:, radius].std().item() / 400**0.5
            assert found[:, radius].mean().item() == pytest.approx(expected, abs=5 * spread)

    def test_channels_are_averaged(self):
        images = noise(3, 2, 16, 16)
        separate = [10 ** radial_spectrum(images[:, channel : channel + 1]) for channel in range(2)]
        torch.testing.assert_close(10 ** radial_spectrum(images), (separate[0] + separate[1]) / 2)

    @pytest.mark.parametrize("waves", [0, 1, 5, 10])
    @pytest.mark.parametrize("size", [(20, 20), (20, 50), (50, 20)])
    def test_wave_lies_in_its_bin(self, waves, size):
        # Along the shorter side, whichever that is.
        phase = 2 * math.pi * waves * torch.arange(20) / 20
        image = phase.cos()[:, None].expand(20, max(size)) if size[0] == 20 else phase.cos().expand(max(size), 20)
        (found,) = radial_spectrum(image[None, None])
        assert found.argmax() == waves
        others = torch.cat([found[:waves], found[waves + 1 :]])
        torch.testing.assert_close(others, torch.full_like(others, FLOOR), atol=1e-4, rtol=0)

    def test_power_is_conserved(self):
        images = noise(5, 1, 24, 24)
        down, across = np.meshgrid(np.fft.fftfreq(24) * 24, np.fft.fftfreq(24) * 24, indexing="ij")
        sizes = np.bincount(np.minimum(np.rint(np.hypot(down, across)), 12).astype(int).ravel())
        power = (10 ** radial_spectrum(images) - 10**FLOOR) @ torch.from_numpy(sizes).double()
        torch.testing.assert_close(power, images.double().square().sum((1, 2, 3)))

    def test_blank_images_are_at_the_power_of_rounding(self):
        found = radial_spectrum(torch.zeros(2, 3, 9, 9))
        torch.testing.assert_close(found, torch.full((2, 5), FLOOR).double())

    def test_floor_equals_the_power_of_rounding(self):
        images = noise(200, 1, 16, 16)
        rounded = (images * 127.5).round() / 127.5
        added = (rounded - images).double().square().mean().item()
        assert math.log10(added) == pytest.approx(FLOOR, abs=0.02)

    def test_result_does_not_depend_on_chunks(self, monkeypatch):
        images = noise(9, 3, 16, 16)
        whole = radial_spectrum(images)
        monkeypatch.setattr("sparring.modalities.images.spectrum.CHUNK_VALUES", 2000)
        torch.testing.assert_close(radial_spectrum(images), whole)


class TestDistance:
    def test_equal_sets_have_distance_zero(self):
        images = noise(10, 3, 16, 24)
        assert spectrum_distance(images, images) == 0
        assert spectrum_distance(images, images.flip(0)) == pytest.approx(0, abs=1e-12)

    def test_a_tenth_of_the_power_is_a_decade(self):
        images = noise(10, 3, 16, 16)
        assert spectrum_distance(images, images / 10**0.5) == pytest.approx(1, abs=1e-2)
        assert spectrum_distance(images, images + 0.5) == pytest.approx(0, abs=1e-6)

    @pytest.mark.parametrize("size", [(16, 16), (16, 30)])
    def test_checkerboard_raises_the_highest_bin(self, size):
        real, fake = noise(30, 1, *size), noise(30, 1, *size, seed=1)
        marked = fake + 0.1 * checkerboard(*size)
        raised = (radial_spectrum(marked) - radial_spectrum(fake)).mean(0)
        assert raised[-1] > 0.1 and raised[:-1].abs().max() < 1e-6
        assert spectrum_distance(real, marked) > 2 * spectrum_distance(real, fake)

    def test_blur_lowers_high_frequencies(self):
        real, fake = noise(30, 3, 32, 32), noise(30, 3, 32, 32, seed=1)
        lowered = (radial_spectrum(blurred(fake)) - radial_spectrum(fake)).mean(0)
        assert abs(lowered[0]) < 1e-6 and (lowered[8:] < -0.3).all()
        assert spectrum_distance(real, blurred(fake)) > 0.5 > 10 * spectrum_distance(real, fake)


class TestNarrowPeak:
    """The rule of the watchdog asks for a height above 0.7 and a power above 0.3."""

    @pytest.mark.parametrize("frequency", [(0, 11 / 28), (11 / 28, 0), (11 / 28, 5 / 28), (0.5, 0.5), (4 / 28, 0)])
    def test_faint_grid_is_found_at_any_frequency_and_in_any_direction(self, frequency):
        fakes = natural(64, seed=1) + 0.05 * wave(*frequency)
        height, power = narrow_peak(natural(64, seed=0), fakes)
        assert height > 0.7 and power > 0.7

    @pytest.mark.parametrize("size", [(28, 28), (64, 40), (9, 11)])
    def test_images_of_one_distribution_have_none(self, size):
        assert narrow_peak(natural(64, *size, seed=0), natural(64, *size, seed=1))[0] < 0.6

    def test_stripes_that_real_images_have_too_are_none(self):
        assert narrow_peak(cloth(64, seed=0), cloth(64, seed=1))[0] < 0.6

    def test_grid_on_striped_cloth_is_found(self):
        height, power = narrow_peak(cloth(64, seed=0), cloth(64, seed=1) + 0.05 * wave(0, 11 / 28))
        assert height > 0.7 and power > 0.7

    def test_pattern_of_a_few_images_is_none(self):
        fakes = natural(64, seed=1)
        fakes[:4] += 0.5 * wave(0, 11 / 28)
        assert narrow_peak(natural(64, seed=0), fakes)[0] < 0.6

    def test_peak_of_blurred_images_is_weaker_than_real_ones(self):
        fakes = 0.05 * natural(64, seed=1) + 0.003 * wave(0, 11 / 28)
        height, power = narrow_peak(natural(64, seed=0), fakes)
        assert height > 0.8 and power < 0.3

    def test_difference_between_opposite_edges_is_none(self):
        """A Fourier transform of such images has power at all frequencies along that side."""
        ramps = noise(64, 1, 1, 1, seed=2) * torch.linspace(-1, 1, 28)
        assert narrow_peak(natural(64, seed=0), natural(64, seed=1) + 5 * ramps)[0] < 0.6

    def test_tiny_images_have_no_fine_frequency(self):
        assert narrow_peak(noise(4, 1, 5, 4), noise(4, 1, 5, 4, seed=1)) == (0.0, 0.0)


class TestBadArguments:
    @pytest.mark.parametrize("samples", [torch.zeros(3, 16), torch.zeros(0, 1, 8, 8)])
    def test_not_images(self, samples):
        with pytest.raises(SparringError, match=r"images \(count, channels, height, width\)"):
            radial_spectrum(samples)

    def test_not_finite(self):
        with pytest.raises(SparringError, match="not finite"):
            radial_spectrum(torch.full((1, 1, 8, 8), torch.inf))

    @pytest.mark.parametrize(("real", "fake"), [((1, 8, 8), (1, 8, 9)), ((1, 8, 8), (3, 8, 8)), ((1, 1, 8), (1, 1, 8))])
    def test_different_shapes(self, real, fake):
        with pytest.raises(SparringError, match="the same, at least 2 × 2"):
            spectrum_distance(torch.zeros(2, *real), torch.zeros(2, *fake))
