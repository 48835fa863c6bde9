"""Real videos made by FFmpeg, and what ffprobe says of them."""

import json
import os
import pathlib
import struct
import subprocess

import requests


def make_video(path: pathlib.Path, size: str = "1920x1080", seconds: float = 4.4, rate: int = 25) -> pathlib.Path:
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}",
         "-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
         "-c:a", "aac", "-movflags", "+faststart", str(path)], check=True, timeout=120)
    return path


def make_picture(path: pathlib.Path, size: str = "640x480") -> pathlib.Path:
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", f"testsrc2=size={size}:duration=0.04", "-frames:v", "1", str(path)],
        check=True, timeout=60)
    return path


def probe(path: pathlib.Path, *what: str) -> dict:
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", *(what or ("-show_format", "-show_streams")), str(path)],
        check=True, capture_output=True, timeout=60)
    return json.loads(done.stdout)


def stream(path: pathlib.Path, kind: str = "video") -> dict:
    return next(each for each in probe(path)["streams"] if each["codec_type"] == kind)


def key_frames(path: pathlib.Path) -> list[float]:
    """The instants of the pictures at which a player may begin, from the first one on."""
    packets = probe(path, "-select_streams", "v:0", "-show_entries", "packet=pts_time,flags")["packets"]
    times = [float(packet["pts_time"]) for packet in packets if packet["flags"].startswith("K")]
    return [round(time - times[0], 3) for time in times]


def top_boxes(path: pathlib.Path) -> list[str]:
    """Of an MP4, in their order."""
    names, data, offset = [], path.read_bytes(), 0
    while offset + 8 <= len(data):
        size, name = struct.unpack(">I4s", data[offset:offset + 8])
        names.append(name.decode())
        offset += size if size >= 8 else len(data)
    return names


def download(url: str, path: pathlib.Path, **headers: str) -> pathlib.Path:
    answer = requests.get(url, headers=headers, timeout=60)
    assert answer.status_code in (200, 206), answer.text
    path.write_bytes(answer.content)
    return path


def ffmpeg_processes(folder: pathlib.Path) -> set[int]:
    """Processes that work in a folder below this one."""
    found = set()
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.readlink(f"/proc/{entry}/cwd").removesuffix(" (deleted)").startswith(str(folder)):
                found.add(int(entry))
        except OSError:
            continue
    return found
