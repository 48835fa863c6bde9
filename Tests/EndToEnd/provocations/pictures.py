import struct
import uuid
import zlib


def png(colour: bytes) -> bytes:
    """One pixel."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"\0" + colour)) + chunk(b"IEND", b""))


def provoke(stack, member) -> None:
    def keep(body: bytes, kind: str):
        return stack.inner("orchestration-service", "content-center", "POST", "/v1/assets", member.tenant, data=body,
                           headers={"Content-Type": kind})

    kept = keep(png(uuid.uuid4().bytes[:3]), "image/png")
    assert kept.status_code == 201, kept.text
    assert keep(b"GIF89a", "image/png").status_code == 422
    assert keep(b"\0" * (9 << 20), "image/png").status_code == 413
    with stack.administrator("content") as connection:
        connection.execute("INSERT INTO asset_quotas (tenant_id, bytes) VALUES (%s, 0)", (member.tenant,))
        try:
            assert keep(png(uuid.uuid4().bytes[:3]), "image/png").status_code == 409
        finally:
            connection.execute("DELETE FROM asset_quotas WHERE tenant_id = %s", (member.tenant,))
    path = f"/v1/assets/{kept.json()['id']}/content"
    for caller, service, url in (("orchestration-service", "content-center", path), (None, "gateway-bff", path.replace("/v1/", "/api/"))):
        def get(url, **headers):
            if caller:
                return stack.inner(caller, service, "GET", url, member.tenant, headers=headers)
            return member.request("GET", url, headers=headers)

        shown = get(url)
        assert (shown.status_code, shown.headers["Content-Type"]) == (200, "image/png")
        assert get(url, **{"If-None-Match": shown.headers["ETag"]}).status_code == 304
        assert get(url.replace(kept.json()["id"], str(uuid.uuid4()))).status_code == 404
