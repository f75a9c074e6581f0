"""WGS84 latitude and longitude to the National Grid (OSGB36), good to about 5 metres."""

from __future__ import annotations

from math import atan2, cos, radians, sin, sqrt, tan

# Ordnance Survey, "A guide to coordinate systems in Great Britain" (v3.6): annexes B and C, section 6.6.
# A seven-parameter Helmert shift is good to about 5 m; OSTN15 would be survey grade and needs a 10 MB grid.
_GRS80_A, _GRS80_B = 6378137.0, 6356752.314140356
_AIRY_A, _AIRY_B = 6377563.396, 6356256.909
_TX, _TY, _TZ = -446.448, 125.157, -542.060
_SCALE = 20.4894e-6
_RX, _RY, _RZ = (radians(seconds / 3600) for seconds in (-0.1502, -0.2470, -0.8421))
_F0, _LAT0, _LON0, _E0, _N0 = 0.9996012717, radians(49), radians(-2), 400000.0, -100000.0


def to_grid(latitude: float, longitude: float) -> tuple[int, int]:
    """Easting and northing in whole metres. Only for Great Britain: `on_grid` says whether it is."""
    return _project(*_shift(radians(latitude), radians(longitude)))


def on_grid(easting: float, northing: float) -> bool:
    """Whether the point lies inside the National Grid (which Northern Ireland does not use)."""
    return 0 <= easting < 700_000 and 0 <= northing < 1_300_000


def _shift(lat: float, lon: float) -> tuple[float, float]:
    """The same point on the Airy 1830 ellipsoid, by way of cartesian coordinates at height 0."""
    e2 = 1 - (_GRS80_B / _GRS80_A) ** 2
    nu = _GRS80_A / sqrt(1 - e2 * sin(lat) ** 2)
    x, y, z = nu * cos(lat) * cos(lon), nu * cos(lat) * sin(lon), nu * (1 - e2) * sin(lat)
    s = 1 + _SCALE
    x2 = _TX + s * x - _RZ * y + _RY * z
    y2 = _TY + _RZ * x + s * y - _RX * z
    z2 = _TZ - _RY * x + _RX * y + s * z
    e2 = 1 - (_AIRY_B / _AIRY_A) ** 2
    flat = sqrt(x2 * x2 + y2 * y2)
    phi = atan2(z2, flat * (1 - e2))
    for _ in range(8):
        nu = _AIRY_A / sqrt(1 - e2 * sin(phi) ** 2)
        phi = atan2(z2 + e2 * nu * sin(phi), flat)
    return phi, atan2(y2, x2)


def _project(phi: float, lam: float) -> tuple[int, int]:
    """Transverse Mercator, as annex C names its terms."""
    e2 = 1 - (_AIRY_B / _AIRY_A) ** 2
    s, c, t = sin(phi), cos(phi), tan(phi)
    nu = _AIRY_A * _F0 / sqrt(1 - e2 * s * s)
    rho = _AIRY_A * _F0 * (1 - e2) / (1 - e2 * s * s) ** 1.5
    eta2 = nu / rho - 1
    one = _meridian(phi) + _N0
    two = nu / 2 * s * c
    three = nu / 24 * s * c**3 * (5 - t**2 + 9 * eta2)
    three_a = nu / 720 * s * c**5 * (61 - 58 * t**2 + t**4)
    four = nu * c
    five = nu / 6 * c**3 * (nu / rho - t**2)
    six = nu / 120 * c**5 * (5 - 18 * t**2 + t**4 + 14 * eta2 - 58 * t**2 * eta2)
    d = lam - _LON0
    northing = one + two * d**2 + three * d**4 + three_a * d**6
    easting = _E0 + four * d + five * d**3 + six * d**5
    return round(easting), round(northing)


def _meridian(phi: float) -> float:
    n = (_AIRY_A - _AIRY_B) / (_AIRY_A + _AIRY_B)
    less, more = phi - _LAT0, phi + _LAT0
    return (
        _AIRY_B
        * _F0
        * (
            (1 + n + 1.25 * n**2 + 1.25 * n**3) * less
            - (3 * n + 3 * n**2 + 2.625 * n**3) * sin(less) * cos(more)
            + (1.875 * n**2 + 1.875 * n**3) * sin(2 * less) * cos(2 * more)
            - 35 / 24 * n**3 * sin(3 * less) * cos(3 * more)
        )
    )
