"""A media job whose service is killed outright. In a file of its own, because a killed service forgets what it has counted: it runs after
those who look at the counts."""

import uuid

from media_files import ffmpeg_processes
from support import eventually
from test_media import ended, folder, long_source, order, running, source, upload_video  # noqa: F401


def test_killed_outright_the_job_is_done_once_by_whoever_comes(stack, member, long_source, folder):
    asset = upload_video(member, long_source)
    job = order(member, type="transcode", assetId=asset, profiles=["480p"], params={"cover": False})["jobId"]
    processes = running(member, job, folder)
    stack.restart("content-center")
    # Whoever had begun it is gone with the service, although nobody could tell it to stop.
    assert not processes & ffmpeg_processes(folder)
    over = ended(member, job)
    assert over["status"] == "succeeded"
    assert [(each["kind"], each["name"]) for each in over["outputs"]] == [("hls", "master"), ("hls_rendition", "480p"), ("mp4", "480p")]
    ((attempts,),) = stack.rows("content", "SELECT attempt FROM jobs WHERE id = %s", (job,))
    assert attempts == 2
    ((assets, objects),) = stack.rows("content", """
        SELECT count(*), count(DISTINCT object_id) FROM content_assets a WHERE EXISTS (
            SELECT FROM media_outputs o WHERE o.asset_id = a.id AND o.job_id = %s)""", (job,))
    assert (assets, objects) == (2, 2)
    eventually(lambda: ffmpeg_processes(folder) | set(folder.iterdir()), lambda left: left == set(), "nothing is left of it", 60)
    # What is in the store is what rows speak of.
    known = {str(name) for (name,) in stack.rows("content", """
        SELECT id FROM asset_objects UNION SELECT object_id FROM asset_garbage UNION SELECT object_id FROM asset_previews UNION SELECT id FROM tenant_exports""")}
    assert kept(folder) <= known


def kept(folder) -> set[str]:
    return {path.name for path in (folder.parent / "kept").glob("*/*")}


def test_what_a_killed_worker_had_kept_is_collected(stack, member, source, folder):
    """It dies after its output is in the store, and before anything says so."""
    asset = upload_video(member, source)
    eventually(lambda: "thumbnail" in member.request("GET", f"/api/assets/{asset}").json(), bool, "its previews are there", 60)
    before = kept(folder)
    with stack.administrator("content") as connection, connection.transaction(force_rollback=True):
        connection.execute("LOCK TABLE media_outputs IN EXCLUSIVE MODE")
        job = order(member, type="thumbnail", assetId=asset)["jobId"]
        eventually(lambda: kept(folder) - before, bool, "an output is in the store", 60)
        stack.restart("content-center")
    assert member.request("POST", f"/api/media/jobs/{job}/cancel").status_code == 200
    over = ended(member, job)
    assert (over["status"], over["outputs"]) == ("canceled", [])
    left = kept(folder) - before
    assert left
    ((known, soon),) = stack.rows("content", """
        SELECT array_agg(object_id::text), bool_and(due_at BETWEEN app_now() + interval '50 minutes' AND app_now() + interval '1 hour')
        FROM asset_garbage WHERE job_id = %s""", (job,))
    assert left <= set(known) and soon
    with stack.administrator("content") as connection:
        # An hour later.
        connection.execute("UPDATE asset_garbage SET due_at = app_now() WHERE job_id = %s", (uuid.UUID(job),))
    # It sweeps when it starts.
    stack.restart("content-center")
    eventually(lambda: kept(folder) & left, lambda there: there == set(), "nothing is left in the store")
    assert stack.rows("content", "SELECT count(*) FROM asset_garbage WHERE job_id = %s", (job,)) == [(0,)]
