# SPDX-License-Identifier: Apache-2.0
"""Small ICC profiles made from numbers, so that no profile of others need be copied."""
import struct


def s15(value):
    return struct.pack(">i", round(value * 65536))


def xyz(x, y, z):
    return b"XYZ \0\0\0\0" + s15(x) + s15(y) + s15(z)


def gamma_curve(value):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256)) + b"\0\0"


def parametric_curve(g, a, b, c, d):
    """Type 3: (aX + b) ** g from d on, cX below."""
    return b"para\0\0\0\0" + struct.pack(">HH", 3, 0) + b"".join(s15(v) for v in (g, a, b, c, d))


def table_curve(values):
    data = b"curv\0\0\0\0" + struct.pack(">I", len(values))
    return data + b"".join(struct.pack(">H", round(v * 65535)) for v in values)


def text(value):
    raw = value.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(raw)) + raw + bytes(8 + 3 + 67)


def profile(device, space, pcs, tags, version=0x02400000):
    """Header, table and tags. device: "mntr", "prtr", ...; space: "RGB ", "GRAY", "CMYK"."""
    tags = [(b"desc", text("libitem test profile")), (b"cprt", b"text\0\0\0\0none\0"),
            (b"wtpt", xyz(0.9642, 1.0, 0.8249))] + tags
    offset, table, data = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, value in tags:
        table += name + struct.pack(">II", offset + len(data), len(value))
        data += value + bytes(-len(value) % 4)
    size = offset + len(data)
    header = struct.pack(">I4sI4s4s4s", size, b"\0" * 4, version, device.encode(), space.encode(),
                         pcs.encode())
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(4 + 4 + 4 + 4 + 8)
    header += struct.pack(">I", 0) + s15(0.9642) + s15(1.0) + s15(0.8249)
    return header + bytes(128 - len(header)) + table + data


def rgb(gamma=1.8, version=0x02400000, curve=None):
    """A wide display: primaries near Adobe RGB, adapted to D50."""
    trc = curve or gamma_curve(gamma)
    return profile("mntr", "RGB ", "XYZ ",
                   [(b"rXYZ", xyz(0.60974, 0.31111, 0.01947)),
                    (b"gXYZ", xyz(0.20528, 0.62567, 0.06087)),
                    (b"bXYZ", xyz(0.14919, 0.06322, 0.74457)),
                    (b"rTRC", trc), (b"gTRC", trc), (b"bTRC", trc)], version)


def rgb_v4():
    """sRGB's curve on other primaries, as version 4."""
    curve = parametric_curve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    return rgb(version=0x04200000, curve=curve)


def rgb_table():
    """A measured curve: 64 points with a bend."""
    values = [min(1.0, (i / 63) ** 2.1 * (1 + 0.05 * ((i % 7) / 7))) for i in range(64)]
    return rgb(curve=table_curve(sorted(values)))


def grey(gamma=1.6):
    return profile("mntr", "GRAY", "XYZ ", [(b"kTRC", gamma_curve(gamma))])


def cmyk():
    """An 8-bit table of 3 points an ink to Lab: paper lightness taken away ink by ink."""
    points = 3
    data = b"mft1\0\0\0\0" + bytes([4, 3, points, 0])
    data += b"".join(s15(v) for v in (1, 0, 0, 0, 1, 0, 0, 0, 1))
    data += bytes(range(256)) * 4
    for index in range(points ** 4):
        c, m, y, k = [(index // points ** e) % points / (points - 1) for e in (3, 2, 1, 0)]
        light = (100 - 38 * c - 48 * m - 8 * y) * (1 - 0.9 * k)
        a = (-36 * c + 74 * m - 4 * y) * (1 - k)
        b = (-50 * c - 4 * m + 92 * y) * (1 - k)
        data += bytes([round(max(0, light) * 2.55), min(255, max(0, round(a + 128))),
                       min(255, max(0, round(b + 128)))])
    data += bytes(range(256)) * 3
    return profile("prtr", "CMYK", "Lab ", [(b"A2B0", data)])
