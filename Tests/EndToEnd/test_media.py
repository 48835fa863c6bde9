"""Media jobs over the five processes, with real videos: what is made, what is left when somebody kills, cancels or lies."""

import hashlib
import json
import pathlib
import re
import subprocess
import urllib.parse
import uuid

import pika
import pytest
import requests

from media_files import download, ffmpeg_processes, key_frames, make_video, probe, stream, top_boxes
from support import Member, assert_problem, eventually, stream_events
from uploads import presign, put, upload


def order(member: Member, **body) -> dict:
    answer = member.request("POST", "/api/media/jobs", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"/api/media/jobs/{answer.json()['jobId']}"
    return answer.json()


def look(member: Member, job: str) -> dict:
    answer = member.request("GET", f"/api/media/jobs/{job}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended(member: Member, job: str, seconds: float = 120) -> dict:
    return eventually(
        lambda: look(member, job), lambda seen: seen["status"] not in ("queued", "running"), "the media job ends", seconds)


def running(member: Member, job: str, folder: pathlib.Path) -> set[int]:
    """Waits until FFmpeg is at work on it."""
    eventually(lambda: look(member, job), lambda seen: seen["status"] == "running" and seen["progress"] > 5, "it is under way", 60)
    return eventually(lambda: ffmpeg_processes(folder), bool, "FFmpeg runs")


def upload_video(member: Member, path: pathlib.Path, name: str = "成片.mp4") -> str:
    return upload(member, path.read_bytes(), name, "video/mp4")["id"]


@pytest.fixture(scope="module")
def folder(stack) -> pathlib.Path:
    return stack.directory.resolve() / "objects/media"


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> pathlib.Path:
    return make_video(tmp_path_factory.mktemp("media") / "source.mp4")


@pytest.fixture(scope="module")
def long_source(tmp_path_factory) -> pathlib.Path:
    """Long enough to be interrupted."""
    return make_video(tmp_path_factory.mktemp("media") / "long.mp4", size="1280x720", seconds=60, rate=30)


@pytest.fixture(scope="module")
def transcoded(member, source) -> dict:
    asset = upload_video(member, source)
    job = ended(member, order(member, type="transcode", assetId=asset, profiles=["720p", "1080p"])["jobId"])
    assert job["status"] == "succeeded", job
    assert (job["progress"], job["assetId"], job["type"], job["priority"]) == (100, asset, "transcode", "normal")
    return job


def output(job: dict, kind: str, name: str | None = None) -> dict:
    (found,) = [each for each in job["outputs"] if each["kind"] == kind and name in (None, each["name"])]
    return found


def test_rates_are_aligned_and_as_long_as_the_source(transcoded, source, tmp_path):
    assert [(each["kind"], each["name"]) for each in transcoded["outputs"]] == [
        ("hls", "master"), ("hls_rendition", "1080p"), ("hls_rendition", "720p"), ("mp4", "1080p"), ("cover", "cover")]
    frame, duration = 1 / 25, float(stream(source)["duration"])
    rates = {}
    for name, size in (("1080p", (1920, 1080)), ("720p", (1280, 720))):
        file = download(output(transcoded, "hls_rendition", name)["url"], tmp_path / f"{name}.mp4")
        video = stream(file)
        assert ((video["width"], video["height"]), video["codec_name"], video["pix_fmt"]) == (size, "h264", "yuv420p")
        assert abs(float(video["duration"]) - duration) <= frame
        assert stream(file, "audio")["codec_name"] == "aac"
        rates[name] = file.stat().st_size * 8 / duration
        # Every two seconds and nowhere else, in all rates.
        assert key_frames(file) == [0, 2, 4]
    assert rates["720p"] < rates["1080p"] < 6_000_000


def test_the_mp4_starts_before_it_is_whole(transcoded, source, tmp_path):
    file = download(output(transcoded, "mp4")["url"], tmp_path / "video.mp4")
    boxes = top_boxes(file)
    assert boxes.index("moov") < boxes.index("mdat")
    video, wanted = stream(file), stream(source)
    assert abs(float(video["duration"]) - float(wanted["duration"])) <= 1 / 25 and float(video["start_time"]) == 0
    assert video["nb_frames"] == wanted["nb_frames"]
    # Nothing of where and by whom it was made.
    assert "creation_time" not in json.dumps(probe(file)).lower()


def test_playlists_name_segments_that_anybody_with_the_address_can_fetch(member, stranger, transcoded, tmp_path):
    address = output(transcoded, "hls")["url"]
    # By the address alone, as a player asks; and through the gateway, as a member.
    master = requests.get(address, timeout=20)
    path = f"/api/media/jobs/{transcoded['jobId']}/hls/master.m3u8"
    assert re.sub(r"\?pass=\S+", "", master.text) == member.request("GET", path).text
    assert master.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    variants = re.findall(r"#EXT-X-STREAM-INF:BANDWIDTH=(\d+),.*RESOLUTION=(\d+x\d+),CODECS=\"avc1\.6400\w\w,mp4a\.40\.2\".*\n(\S+)", master.text)
    assert [(size, name.split("?")[0]) for _, size, name in variants] == [("1920x1080", "1080p.m3u8"), ("1280x720", "720p.m3u8")]
    assert int(variants[0][0]) > int(variants[1][0])
    lengths = []
    for _, _, name in variants:
        playlist = requests.get(urllib.parse.urljoin(address, name), timeout=20).text
        head = re.search(r'#EXT-X-MAP:URI="(\S+)",BYTERANGE="(\d+)@(\d+)"', playlist)
        segments = re.findall(r"#EXTINF:([\d.]+),\n#EXT-X-BYTERANGE:(\d+)@(\d+)\n(http\S+)", playlist)
        lengths.append([float(length) for length, *_ in segments])
        initial = fetch_range(head[1], int(head[2]), int(head[3]))
        for number, (length, size, offset, url) in enumerate(segments):
            # Each is playable behind the head alone.
            file = tmp_path / f"{name.split('.')[0]}.{number}.mp4"
            file.write_bytes(initial + fetch_range(url, int(size), int(offset)))
            frames = probe(file, "-select_streams", "v:0", "-count_frames", "-show_entries", "stream=nb_read_frames")["streams"][0]
            assert int(frames["nb_read_frames"]) == round(float(length) * 25)
    assert lengths[0] == lengths[1] == [4.0, 0.4]
    assert_problem(stranger.request("GET", path), 404, "media_job.not_found")


def test_a_strict_player_plays_the_address(transcoded):
    """FFmpeg's own demuxer fetches no segment whose name does not end as that of a video."""
    streams = json.loads(subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", "-show_entries", "stream=codec_type,height", output(transcoded, "hls")["url"]],
        capture_output=True, text=True, timeout=60, check=True).stdout)["streams"]
    assert sorted(stream["height"] for stream in streams if stream["codec_type"] == "video") == [720, 1080]


def fetch_range(url: str, size: int, offset: int) -> bytes:
    answer = requests.get(url, headers={"Range": f"bytes={offset}-{offset + size - 1}"}, timeout=20)
    assert answer.status_code == 206 and len(answer.content) == size
    return answer.content


def test_the_stream_shows_how_a_job_moves(member, source):
    asset = upload_video(member, source)
    last = next(stream_events(member, last_event_id=0)).id
    job = order(member, type="cover", assetId=asset, priority="interactive")["jobId"]
    ended(member, job)
    seen = []
    for event in stream_events(member, last_event_id=last):
        if event.data.get("subject") == job:
            seen.append((event.type, event.data["data"]["status"], event.data["data"]["progress"]))
            if event.type != "media.job.progressed.v1":
                break
    assert seen[0][:2] == ("media.job.progressed.v1", "running")
    assert seen[-1] == ("media.job.succeeded.v1", "succeeded", 100)
    assert [progress for *_, progress in seen] == sorted(progress for *_, progress in seen)


def ghost(stack, member: Member, like: str, due: str) -> str:
    """A job like another one, added behind the service's back: nobody has told a worker of it."""
    job = str(uuid.uuid4())
    with stack.administrator("content") as connection, connection.transaction():
        connection.execute(
            """INSERT INTO jobs (tenant_id, id, kind, payload, max_attempts) SELECT tenant_id, %s, 'media.batch', payload, 5 FROM jobs WHERE id = %s""",
            (job, like))
        connection.execute("INSERT INTO media_jobs (tenant_id, id, type) VALUES (%s, %s, 'probe')", (member.tenant, job))
        connection.execute(
            f"INSERT INTO job_due (tenant_id, job_id, kind, due_at) VALUES (%s, %s, 'media.batch', app_now() + interval '{due}')", (member.tenant, job))
    return job


def test_a_ticket_is_redeemed_and_a_lost_one_is_no_harm(stack, member, source):
    """The row is the truth, a ticket no more than a hint; but one that is as good as a look."""
    asset = upload_video(member, source)
    connection = pika.BlockingConnection(pika.URLParameters(stack.env["AMQP_URL"]))
    channel = connection.channel()
    copies = channel.queue_declare("", exclusive=True).method.queue
    for priority in ("interactive", "normal", "batch"):
        channel.queue_bind(copies, "media.tickets", priority)
    # Each order sends one, to the queue of its class.
    jobs = {order(member, type="probe", assetId=asset, priority=priority)["jobId"]: priority for priority in ("batch", "normal", "interactive")}
    for job in jobs:
        assert ended(member, job)["status"] == "succeeded"
    tickets, last = {}, None
    while len(tickets) < 3:
        method, properties, body = eventually(lambda: channel.basic_get(copies, auto_ack=True), lambda got: got[0] is not None, "a ticket")
        tickets[json.loads(body)["subject"]], last = method.routing_key, (properties, json.loads(body))
    assert tickets == jobs
    # No look would find this one for an hour: it is the ticket that is redeemed.
    hidden = ghost(stack, member, like=next(iter(jobs)), due="1 hour")
    properties, ticket = last

    def redeem() -> str:
        channel.basic_publish(
            "media.tickets", "batch", json.dumps(ticket | {"subject": hidden, "id": str(uuid.uuid4())}).encode(), properties)
        return look(member, hidden)["status"]

    # One that comes while its tenant has all its places is let go.
    eventually(redeem, lambda status: status != "queued", "a ticket is redeemed", 60)
    assert ended(member, hidden)["status"] == "succeeded"
    # As if the process had died between the commit and the ticket.
    assert ended(member, ghost(stack, member, like=hidden, due="0"))["status"] == "succeeded"
    for priority in ("interactive", "normal", "batch"):
        queue = f"content-center.media-{priority}"
        eventually(lambda: channel.queue_declare(queue, passive=True).method.message_count, lambda count: count == 0, "no ticket stays behind")
    connection.close()


def test_an_upload_shows_itself_small_and_a_mark_goes_on_a_copy(member, stranger, source, tmp_path):
    announced = member.request("POST", "/api/assets/presign", json={
        "filename": "成片.mp4", "contentType": "video/mp4", "watermark": {"text": "青禾旗舰店", "corner": "top_left"}})
    assert announced.status_code == 201, announced.text
    assert put(announced.json(), source.read_bytes()).status_code == 200
    path = f"/api/assets/{announced.json()['assetId']}"
    asset = member.request("POST", f"{path}/complete").json()
    assert asset["state"] == "ready"
    shown = eventually(lambda: member.request("GET", path).json(), lambda seen: "thumbnail" in seen, "the thumbnail", 60)
    for name, size in (("thumbnail", (320, 180)), ("cover", (1920, 1080))):
        picture = stream(download(shown[name]["url"], tmp_path / f"{name}.jpg"))
        assert ((picture["width"], picture["height"]), picture["codec_name"]) == (size, "mjpeg")
        assert (shown[name]["width"], shown[name]["height"]) == size
    marked = output(ended(member, asset["watermarkJobId"]), "mp4", "marked")
    assert marked["assetId"] != asset["id"]
    assert stream(download(marked["url"], tmp_path / "marked.mp4"))["width"] == 1920
    # The upload itself is what was sent; previews are none of the tenant's assets.
    listed = member.request("GET", "/api/assets?limit=2").json()["items"]
    assert [each["id"] for each in listed] == [marked["assetId"], asset["id"]]
    assert listed[1]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest() and "thumbnail" in listed[1]
    assert_problem(stranger.request("GET", path), 404, "asset.not_found")


def test_cancel_ends_the_process_group(member, long_source, folder):
    asset = upload_video(member, long_source)
    job = order(member, type="transcode", assetId=asset, profiles=["720p", "480p"])["jobId"]
    running(member, job, folder)
    assert member.request("POST", f"/api/media/jobs/{job}/cancel").status_code == 200
    over = ended(member, job, seconds=20)
    assert (over["status"], over["outputs"]) == ("canceled", [])
    eventually(lambda: ffmpeg_processes(folder), lambda left: left == set(), "nothing works any more")
    eventually(lambda: [each.name for each in folder.iterdir()], lambda left: left == [], "the folder is gone")


@pytest.mark.parametrize("text", [
    "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "ffconcat version 1.0\nfile '/etc/passwd'\n",
])
def test_a_list_in_a_videos_clothes_is_refused(member, text):
    presigned = presign(member, "a.mp4", "video/mp4")
    assert put(presigned, text.encode()).status_code == 200
    assert_problem(member.request("POST", f"/api/assets/{presigned['assetId']}/complete"), 422, "asset.refused", {"/contentType"})


def test_addresses_of_others_are_not_asked(member):
    for address in ("http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "https://cdn.example.com/a.mp4"):
        answer = member.request("POST", "/api/media/jobs", json={"type": "probe", "sourceUrl": address})
        assert_problem(answer, 422, None, {"/sourceUrl"})


def test_a_video_whose_header_lies_fails_with_its_reason(member):
    head = b"\0\0\0\x18ftypisom\0\0\2\0isommp41" + (1008).to_bytes(4, "big") + b"mdat" + bytes(1000)
    asset = upload(member, head, "a.mp4", "video/mp4")["id"]
    job = ended(member, order(member, type="transcode", assetId=asset)["jobId"])
    assert (job["status"], job["error"]["code"]) == ("failed", "media.unreadable")
    assert job["error"]["message"] == "文件无法解码"
    in_english = member.request("GET", f"/api/media/jobs/{job['jobId']}", headers={"Accept-Language": "en"}).json()
    assert in_english["error"]["message"] == "The file cannot be decoded"


def test_what_is_said_is_heard_and_written_into_the_pictures(member, tmp_path):
    """The sandbox hears four sentences; on a black picture whatever is bright has been written."""
    dark = tmp_path / "dark.mp4"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "color=black:size=720x1280:rate=10:duration=6.2", "-f", "lavfi", "-i",
         "sine=duration=6.2", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", str(dark)], check=True, timeout=60)
    asset = upload_video(member, dark)
    heard = ended(member, order(member, type="subtitle", assetId=asset)["jobId"])
    assert [(each["kind"], each["mediaType"]) for each in heard["outputs"]] == [("srt", "application/x-subrip"), ("vtt", "text/vtt")]
    srt = requests.get(output(heard, "srt")["url"], timeout=10).content.decode()
    assert "大家好，今天聊聊防晒霜。" in srt and srt.count(" --> ") >= 4
    assert requests.get(output(heard, "vtt")["url"], timeout=10).text.startswith("WEBVTT")
    # Edited by somebody cue by cue, kept as a file of its own.
    edited = edit_cues(member, output(heard, "srt")["assetId"], "大家好", "各位好")
    burnt = ended(member, order(member, type="burn_subtitle", assetId=asset, params={"subtitleAssetId": edited})["jobId"])
    file = download(output(burnt, "mp4")["url"], tmp_path / "burnt.mp4")
    assert bright_pixels(dark) == 0 and bright_pixels(file) > 500
    muxed = ended(member, order(member, type="burn_subtitle", assetId=asset, params={"subtitleAssetId": edited, "mode": "mux"})["jobId"])
    file = download(output(muxed, "mp4")["url"], tmp_path / "muxed.mp4")
    assert bright_pixels(file) == 0 and stream(file, "subtitle")["codec_name"] == "mov_text"
    text = subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-i", str(file), "-f", "srt", "-"], check=True, capture_output=True, timeout=20).stdout.decode()
    assert "各位好" in text


def edit_cues(member: Member, asset: str, old: str, new: str) -> str:
    path = f"/api/assets/{asset}/cues"
    read = member.request("GET", path)
    assert read.status_code == 200, read.text
    assert member.request("GET", path, headers={"If-None-Match": read.headers["ETag"]}).status_code == 304
    cues = read.json()["cues"]
    assert read.json()["form"] == "srt" and sum(old in line for cue in cues for line in cue["lines"]) == 1
    for cue in cues:
        cue["lines"] = [line.replace(old, new) for line in cue["lines"]]
    key = {"Idempotency-Key": str(uuid.uuid4())}
    made = member.request("POST", path, json={"cues": cues}, headers=key)
    assert made.status_code == 201, made.text
    assert made.headers["Location"] == f"/api/assets/{made.json()['id']}"
    again = member.request("POST", path, json={"cues": cues}, headers=key)
    assert again.headers["Idempotent-Replayed"] == "true" and again.json()["id"] == made.json()["id"]
    assert made.json()["id"] != asset and member.request("GET", f"{made.headers['Location']}/cues").json()["cues"] == cues
    cues[1]["endMs"] = cues[1]["startMs"]
    refused = member.request("POST", path, json={"cues": cues}, headers={"Idempotency-Key": str(uuid.uuid4())})
    assert refused.status_code == 422 and [error["pointer"] for error in refused.json()["errors"]] == ["/cues/1/endMs"]
    return made.json()["id"]


def bright_pixels(path: pathlib.Path) -> int:
    frame = subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-ss", "1", "-i", str(path), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"],
        check=True, capture_output=True, timeout=20).stdout
    return sum(pixel > 200 for pixel in frame)
