"""How members bring files in, as a browser would; and files for it."""

import hashlib
import os
import pathlib
import socket
import urllib.parse

import requests

from support import Member


def presign(member: Member, name: str = "cover.png", kind: str = "image/png", **fields) -> dict:
    answer = member.request("POST", "/api/assets/presign", json={"filename": name, "contentType": kind, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def put(presigned: dict, body, **options) -> requests.Response:
    return requests.request(presigned["method"], presigned["uploadUrl"], data=body, headers=presigned["headers"], timeout=60, **options)


def complete(member: Member, asset: str) -> requests.Response:
    return member.request("POST", f"/api/assets/{asset}/complete")


def upload(member: Member, body: bytes, name: str = "cover.png", kind: str = "image/png", **fields) -> dict:
    presigned = presign(member, name, kind, **fields)
    assert put(presigned, body).status_code == 200
    answer = complete(member, presigned["assetId"])
    assert answer.status_code == 200, answer.text
    return answer.json()


def download_url(member: Member, asset: str, **query) -> str:
    answer = member.request("GET", f"/api/assets/{asset}/download-url", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["url"]


class SparseFile:
    """An MPEG-4 of any size that is zeros but for its head and some marks on the way."""

    def __init__(self, size: int):
        self.size, self.marks = size, {place: os.urandom(4096) for place in range(0, size - 4096, 777 << 20)}
        self.marks[0] = b"\0\0\0\x18ftypisom\0\0\2\0isommp41" + (1).to_bytes(4, "big") + b"mdat" + (size - 24).to_bytes(8, "big")
        self.zeros = bytes(1 << 20)

    def pieces(self, offset: int, count: int):
        end = offset + count
        while offset < end:
            piece = self.zeros[:min(len(self.zeros), end - offset)]
            for place, mark in self.marks.items():
                if place < offset + len(piece) and offset < place + len(mark):
                    whole = bytearray(piece)
                    for index, byte in enumerate(mark):
                        if offset <= place + index < offset + len(piece):
                            whole[place + index - offset] = byte
                    piece = bytes(whole)
            yield piece
            offset += len(piece)

    def sha256(self) -> str:
        digest = hashlib.sha256()
        for piece in self.pieces(0, self.size):
            digest.update(piece)
        return digest.hexdigest()


def send_part(part: dict, pieces, stop_after: int | None = None) -> int | None:
    """Over a bare socket, so that it can break off; the status, or None where it did."""
    parts = urllib.parse.urlsplit(part["uploadUrl"])
    with socket.create_connection((parts.hostname, parts.port), timeout=120) as connection:
        head = (f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: {part['headers']['Content-Type']}\r\n"
                f"Content-Length: {part['size']}\r\nConnection: close\r\n\r\n")
        connection.sendall(head.encode())
        sent = 0
        for piece in pieces:
            connection.sendall(piece)
            sent += len(piece)
            if stop_after is not None and sent >= stop_after:
                return None
        return int(connection.makefile("rb").readline().split()[1])


def memory(pid: int) -> int:
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no figure of its memory")
