"""What lens, light, sensor and file do to a picture; amounts are physical, so that sizes of pictures do not matter.

Every function takes pixels uint8 H×W×3 RGB, an amount and a source of random numbers, and returns pixels of the same
shape. Light is added and scaled in linear intensity, as it is in a camera, not in the values of the file.
"""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

GAMMA = 2.2  # the display curve of sRGB, as a plain power
DAYLIGHT_KELVIN = 5500
PLANCK_NM_KELVIN = 1.4388e7  # h·c/k of Planck's law
CHANNELS_NM = np.array([610.0, 550.0, 465.0])  # where red, green and blue are felt most
READ_NOISE = 3.0  # electrons
ABSORPTION = 2.5  # log intensity between the blackest and the whitest place of an X-ray


def blur_defocus(pixels: Pixels, radius_percent: float, generator: np.random.Generator) -> Pixels:
    """Put the picture out of focus: each point becomes a disc of this radius, in percent of the shorter side."""
    del generator
    radius = radius_percent / 100 * min(pixels.shape[:2])
    reach = int(np.ceil(radius + 0.5))
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return _convolve(pixels, np.clip(radius + 0.5 - np.hypot(rows, columns), 0, 1))


def blur_motion(pixels: Pixels, length_percent: float, generator: np.random.Generator) -> Pixels:
    """Move the camera during exposure, straight and in any direction, by this length in percent of the shorter side."""
    length = length_percent / 100 * min(pixels.shape[:2])
    angle = generator.uniform(0, np.pi)
    reach = int(np.ceil(length / 2 + 1))
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    along = np.abs(columns * np.cos(angle) + rows * np.sin(angle))
    across = np.abs(rows * np.cos(angle) - columns * np.sin(angle))
    return _convolve(pixels, np.clip(length / 2 + 0.5 - along, 0, 1) * np.clip(1 - across, 0, 1))


def compress_jpeg(pixels: Pixels, quality: float, generator: np.random.Generator) -> Pixels:
    """Save the picture as a JPEG of this quality and read it again."""
    del generator
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=int(quality))
    with Image.open(stream) as image:
        return np.asarray(image.convert("RGB"))


def shift_exposure(pixels: Pixels, stops: float, generator: np.random.Generator) -> Pixels:
    """Give 2^stops times more light or less, whichever is drawn."""
    return _write_light(_read_light(pixels) * 2.0 ** (stops * generator.choice([-1, 1])))


def lose_contrast(pixels: Pixels, kept_percent: float, generator: np.random.Generator) -> Pixels:
    """Lay the veil of a greasy or fogged lens over the picture: this share of the contrast is kept."""
    del generator
    light = _read_light(pixels)
    veil = light.mean(axis=(0, 1))
    return _write_light(veil + (light - veil) * kept_percent / 100)


def shift_white_balance(pixels: Pixels, shift_mired: float, generator: np.random.Generator) -> Pixels:
    """Take the picture under light that is warmer or colder than the camera believes, by this many mired.

    The camera is set to daylight; the light is that of a black body (Planck's law).
    """
    warmer = generator.choice([-1, 1])
    kelvin = 1e6 / (1e6 / DAYLIGHT_KELVIN + warmer * shift_mired)
    gains = (np.exp(PLANCK_NM_KELVIN / (CHANNELS_NM * DAYLIGHT_KELVIN)) - 1) / (
        np.exp(PLANCK_NM_KELVIN / (CHANNELS_NM * kelvin)) - 1
    )
    return _write_light(_read_light(pixels) * (gains / gains[1]))


def add_noise(pixels: Pixels, electrons: float, generator: np.random.Generator) -> Pixels:
    """Count light with a sensor whose pixels hold this many electrons at white: photon noise and read noise."""
    light = _read_light(pixels)
    counted = generator.poisson(light * electrons) + generator.normal(0, READ_NOISE, light.shape)
    return _write_light(counted / electrons)


def darken_corners(pixels: Pixels, stops: float, generator: np.random.Generator) -> Pixels:
    """Darken the picture outwards, by this many stops in the corners (falling with the distance's square)."""
    del generator
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width]
    distance = np.hypot((rows + 0.5) / height - 0.5, (columns + 0.5) / width - 0.5) / np.sqrt(0.5)
    return _write_light(_read_light(pixels) * 2.0 ** (-stops * distance[..., None] ** 2))


def lower_dose(pixels: Pixels, photons: float, generator: np.random.Generator) -> Pixels:
    """Take the X-ray with fewer photons: this many for each pixel behind air, fewer behind bone (quantum mottle)."""
    values = pixels[..., :1].astype(np.float64) / 255
    behind = generator.poisson(photons * np.exp(-ABSORPTION * values))
    return _write_values(np.repeat(-np.log(np.maximum(behind, 0.5) / photons) / ABSORPTION, 3, axis=2))


def narrow_window(pixels: Pixels, width_percent: float, generator: np.random.Generator) -> Pixels:
    """Look at the X-ray through a narrower window, its centre anywhere in the middle half of what room that leaves."""
    width = width_percent / 100
    centre = 0.5 + generator.uniform(-1, 1) * (1 - width) / 4
    return _write_values((pixels / 255 - centre) / width + 0.5)


def turn_picture(pixels: Pixels, degrees: float, generator: np.random.Generator) -> Pixels:
    """Turn the picture to the side that is drawn; beyond its border it is mirrored."""
    height, width = pixels.shape[:2]
    pad = int(np.ceil(np.hypot(height, width) / 2 - min(height, width) / 2)) + 1
    wide = np.pad(pixels, ((pad, pad), (pad, pad), (0, 0)), mode="reflect")
    turned = Image.fromarray(wide).rotate(float(degrees * generator.choice([-1, 1])), Image.Resampling.BICUBIC)
    return np.asarray(turned)[pad : pad + height, pad : pad + width]


def _read_light(pixels: Pixels) -> Floats:
    return np.asarray((pixels / 255.0) ** GAMMA)


def _write_light(light: Floats) -> Pixels:
    return _write_values(np.clip(light, 0, 1) ** (1 / GAMMA))


def _write_values(values: Floats) -> Pixels:
    return np.asarray(np.rint(np.clip(values, 0, 1) * 255), dtype=np.uint8)


def _convolve(pixels: Pixels, kernel: Floats) -> Pixels:
    """Return the picture, mirrored beyond its border, blurred in linear light with an odd square kernel of any sum."""
    reach = len(kernel) // 2
    wide = np.pad(_read_light(pixels), ((reach, reach), (reach, reach), (0, 0)), mode="symmetric")
    size = wide.shape[:2]
    spectrum = np.fft.rfft2(wide, axes=(0, 1)) * np.fft.rfft2(kernel / kernel.sum(), s=size)[..., None]
    blurred = np.fft.irfft2(spectrum, s=size, axes=(0, 1))
    return _write_light(blurred[2 * reach :, 2 * reach :])
