"""Reads a TensorBoard event file with the standard library alone, checking every CRC; prints one JSON object per value.

    python read_events.py FILE
"""
import json, struct, sys


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    at = 0
    while at < len(data):
        head = data[at:at + 8]
        (length,), (crc,) = struct.unpack("<Q", head), struct.unpack("<I", data[at + 8:at + 12])
        assert crc == masked(head), f"the length at byte {at} does not fit its CRC"
        body = data[at + 12:at + 12 + length]
        (crc,) = struct.unpack("<I", data[at + 12 + length:at + 16 + length])
        assert crc == masked(body), f"the record at byte {at} does not fit its CRC"
        yield body
        at += 16 + length


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            (value,), at = struct.unpack("<d", data[at:at + 8]), at + 8
        elif kind == 5:
            (value,), at = struct.unpack("<f", data[at:at + 4]), at + 4
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            raise AssertionError(f"wire type {kind}")
        yield key >> 3, value


def main():
    for record in records(open(sys.argv[1], "rb").read()):
        event = dict(fields(record))
        assert event[1] > 1e9, "an event has its wall time"
        step = event.get(2, 0)
        if 3 in event:
            print(json.dumps({"version": event[3].decode()}))
        if 7 in event:
            print(json.dumps({"session": dict(fields(event[7]))[1], "step": step}))
        for number, value in fields(event.get(5, b"")):
            assert number == 1
            entry = dict(fields(value))
            line = {"step": step, "tag": entry[1].decode()}
            if 2 in entry:
                line["value"] = entry[2]
            if 4 in entry:
                image = dict(fields(entry[4]))
                line.update(height=image[1], width=image[2], png=image[4][:4] == b"\x89PNG")
            print(json.dumps(line))


if __name__ == "__main__":
    main()
