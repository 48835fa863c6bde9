"""A media job whose service is killed outright. In a file of its own, because a killed service forgets what it has counted: it runs after
those who look at the counts."""

from media_files import ffmpeg_processes
from test_media import ended, folder, long_source, order, running, upload_video  # noqa: F401


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
    assert ffmpeg_processes(folder) == set() and list(folder.iterdir()) == []
    # What is in the store is what rows speak of.
    kept = {path.name for path in (folder.parent / "kept").glob("*/*")}
    known = {str(name) for (name,) in stack.rows("content", "SELECT id FROM asset_objects UNION SELECT object_id FROM asset_garbage UNION SELECT id FROM tenant_exports")}
    assert kept <= known
