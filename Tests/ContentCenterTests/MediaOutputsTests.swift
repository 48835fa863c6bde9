import ChildProcesses
import DTO
import Foundation
import HTTPCore
import HTTPServing
import Jobs
import Messaging
import Observability
import PostgresStore
import TestSupport
import Testing

@testable import ContentCenter

/// What jobs leave behind, and what they must not.
@Suite(.timeLimit(.minutes(5))) struct MediaOutputsTests {
    /// A worker that dies after its bytes are kept and before anything says so.
    @Test(arguments: [JobState.failed, .cancelled])
    func whatNobodyCameToOwnIsCollected(end: JobState) async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleMedia.picture, as: "a.png", "image/png")
            let job = try await service.orderMedia(MediaJobRequest(type: .thumbnail, assetId: asset.id)).decode(
                MediaJobAccepted.self
            ).jobId
            let object = UUID.version7()
            let worker = service.worker { attempt in
                try await attempt.announce([object])
                try await service.objects.put([1, 2, 3], as: object)
                if end == .cancelled {
                    _ = try await service.send(.post, "/v1/media/jobs/\(attempt.id.lowercase)/cancel")
                    try await Task.sleep(for: .seconds(60))
                }
                throw PermanentJobFailure("its process has died")
            }
            await worker.begin(job, tenant: ContentCenterHarness.tenant).value
            #expect(try await service.mediaJob(job).status == (end == .failed ? .failed : .canceled))
            #expect(service.kept() == 2)
            // It might be at work still.
            try await service.sweep()
            #expect(service.kept() == 2)
            try await service.database.setClock(offset: .seconds(3_601))
            try await service.sweep()
            #expect(service.kept() == 1)
            #expect(try await service.count("asset_garbage") == 0)
        }
    }

    @Test func whoIsTooLateOwnsNothing() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleMedia.picture, as: "a.png", "image/png")
            let job = try await service.orderMedia(MediaJobRequest(type: .thumbnail, assetId: asset.id)).decode(
                MediaJobAccepted.self
            ).jobId
            let output = PlannedOutput(kind: .thumbnail, name: "w320", file: "w320.jpg", type: .jpeg)
            let worker = service.worker { attempt in
                let object = attempt.object(for: output)
                try await attempt.announce([object])
                try await service.objects.put([1, 2, 3], as: object)
                try await service.database.setClock(offset: ObjectGarbage.patience)
                let made = MadeOutput(
                    plan: output, object: object, size: 3, sha256: [UInt8](repeating: 7, count: 32),
                    details: MediaOutputDetails(), filename: "a.jpg")
                await #expect(throws: ObjectGarbage.Overdue.self) { _ = try await attempt.keep(outputs: [made]) }
                throw PermanentJobFailure("too late")
            }
            await worker.begin(job, tenant: ContentCenterHarness.tenant).value
            #expect(try await service.count("media_outputs") == 0)
            try await service.database.setClock(offset: ObjectGarbage.patience + .seconds(3_601))
            try await service.sweep()
            #expect(service.kept() == 1)
        }
    }

    @Test func pictureOfAFlowThatNobodyCameToOwnIsCollected() async throws {
        try await ContentCenterHarness.run { service in
            // The last statement of its transaction fails.
            try await service.database.superuser.query("ALTER TABLE content_assets ADD CHECK (origin <> 'flow')")
            let answer = try await service.send(
                .post, "/v1/assets", headers: ["Content-Type": "image/png"], body: SampleMedia.picture)
            #expect(answer.status == .internalServerError)
            #expect(service.kept() == 1)
            try await service.database.setClock(offset: ObjectGarbage.patience + .seconds(1))
            try await service.sweep()
            #expect(service.kept() == 0)
        }
    }

    /// FFmpeg ends in peace where its source is cut off.
    @Test func whatIsShorterThanItsSourceIsTriedAgainAndThenFails() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleMedia.cutVideo, as: "a.mp4", "video/mp4")
            let id = try await service.orderMedia(
                MediaJobRequest(type: .transcode, assetId: asset.id, params: .init(hls: false, cover: false))
            ).decode(MediaJobAccepted.self).jobId
            for attempt in 1...3 {
                #expect(try await service.mediaJob(id).status == .queued, "before attempt \(attempt)")
                await service.media.worker.begin(id, tenant: ContentCenterHarness.tenant).value
            }
            let job = try await service.mediaJob(id)
            #expect(job.status == .failed && job.error?.code == "media.output_cut" && job.outputs.isEmpty)
            #expect(service.kept() == 1)
            #expect(service.workLeftOver() == [])
        }
    }

    @Test(arguments: [
        (ChildProcess.Ending.killed(signal: 9), "", false, MediaFailure.resources),
        (.exited(1), "[h264] Cannot allocate memory", false, .resources),
        (.exited(1), "source0.mp4: Input/output error", true, .unreadable),
        (.exited(1), "out.mp4: Stale file handle", false, .failed),
    ])
    func theMachinesTroubleIsNotTheFilesAtOnce(
        ending: ChildProcess.Ending, complaint: String, whileReading: Bool, failure: MediaFailure
    ) async throws {
        #expect(throws: MediaTrouble.self) { try MediaFailure.check(ending, complaint, whileReading: whileReading) }
        try await ContentCenterHarness.run { service in
            let store = MediaWorkStore(
                database: service.database.app,
                uploads: AssetUploadStore(database: service.database.app, quotas: AssetQuotas(usual: 1 << 30)) {}
            ) {}
            let worker = service.worker(
                handling: store.handler { _ in
                    try MediaFailure.check(ending, complaint, whileReading: whileReading)
                })
            let asset = try await service.upload(SampleMedia.video, as: "a.mp4", "video/mp4")
            let id = try await service.orderMedia(MediaJobRequest(type: .probe, assetId: asset.id)).decode(MediaJobAccepted.self)
                .jobId
            for attempt in 1...MediaTrouble.mostAttempts {
                #expect(try await service.mediaJob(id).status == .queued, "before attempt \(attempt)")
                await worker.begin(id, tenant: ContentCenterHarness.tenant).value
            }
            let job = try await service.mediaJob(id)
            #expect(job.status == .failed && job.error?.code == failure.rawValue)
        }
    }

    @Test func whatIsTheFilesFaultIsToldAtOnce() {
        #expect(throws: MediaFailure.unreadable) {
            try MediaFailure.check(.exited(1), "Invalid data found when processing input", whileReading: false)
        }
        // At our limits of time and of a file's size.
        for signal in [Int32(24), 25] {
            #expect(throws: MediaFailure.resources) { try MediaFailure.check(.killed(signal: signal), "", whileReading: false) }
        }
    }

    /// `MEDIA_TIMEOUT` and `MEDIA_MEMORY_BYTES` are FFmpeg's.
    @Test func oneRunHasItsTimeAndItsMemory() async throws {
        try await ContentCenterHarness.run(environment: ["MEDIA_TIMEOUT": "1ms"]) { service in
            let asset = try await service.upload(SampleMedia.video, as: "a.mp4", "video/mp4")
            let job = try await service.media(MediaJobRequest(type: .transcode, assetId: asset.id))
            #expect(job.status == .failed && job.error?.code == "media.timeout", "\(job)")
            #expect(service.workLeftOver() == [])
        }
        #expect(throws: MediaFailure.timedOut) { try MediaFailure.check(.timedOut, "", whileReading: false) }
        let limits = FFmpeg(memory: 300 << 20, timeLimit: .seconds(7)).child("ffmpeg", [], in: "/", time: .seconds(7)).limits
        #expect(limits.memory == 300 << 20 && limits.wallTime == .seconds(7))
    }

    @Test func whatDoesNotSayHowLongItIsIsMeasured() async throws {
        try await ContentCenterHarness.run { service in
            let asset = try await service.upload(SampleMedia.endlessVideo, as: "a.webm", "video/webm")
            let job = try await service.media(MediaJobRequest(type: .cover, assetId: asset.id))
            #expect(job.status == .succeeded, "\(job)")
            #expect((5_900...6_000).contains(job.probe?.durationMs ?? 0))
            // The black comes first: a cover out of all of it shows the scene.
            #expect(job.outputs.first?.size ?? 0 > 8_000)
        }
    }

    @Test(arguments: [
        (10_000, 10_000, true), (9_700, 10_000, true), (9_000, 10_000, false), (58_900, 60_000, true), (0, 900, false),
    ])
    func anOutputIsAsLongAsWasPlanned(found: Int, planned: Int, isWhole: Bool) {
        let facts = MediaFacts(type: FileType.mp4.rawValue, size: 1, durationMs: found)
        #expect(facts.isWhole(plannedMs: planned) == isWhole)
        // Of a slow video the last picture may be missing.
        var slow = facts
        slow.video = .init(codec: "h264", width: 2, height: 2, frameRate: 0.1, hasAlpha: false)
        #expect(slow.isWhole(plannedMs: planned))
    }

    @Test func foldersOfDeadProcessesGoWhileOthersWork() async throws {
        try await ContentCenterHarness.run { service in
            let media = MediaWorkers(
                worker: service.worker { _ in }, workspace: service.media.workspace, objects: service.objects, logger: .silent,
                sweepInterval: .milliseconds(20))
            let running = Task { try await media.run() }
            defer { running.cancel() }
            let folders = service.media.workspace.directory
            try await eventually("it works") { FileManager.default.fileExists(atPath: service.directory.path + "/writing") }
            for (name, age) in [("old.1", 25.0 * 3_600), ("young.1", 60)] {
                try FileManager.default.createDirectory(atPath: "\(folders)/\(name)", withIntermediateDirectories: true)
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: "\(folders)/\(name)")
            }
            try await eventually("the old one is gone") { !FileManager.default.fileExists(atPath: "\(folders)/old.1") }
            #expect(FileManager.default.fileExists(atPath: "\(folders)/young.1"))
        }
    }
}

extension ContentCenterHarness {
    /// A worker that does nothing but what the test says.
    func worker(_ work: @escaping @Sendable (MediaAttempt) async throws -> Void) -> JobWorker {
        let store = MediaWorkStore(
            database: database.app, uploads: AssetUploadStore(database: database.app, quotas: AssetQuotas(usual: 1 << 30)) {}
        ) {}
        return worker(handling: { context in
            try await work(MediaAttempt(context: context, store: store))
            return nil
        })
    }

    func worker(handling handler: @escaping JobWorker.Handler) -> JobWorker {
        JobWorker(
            app: database.app, system: database.system,
            handlers: MediaPriority.allCases.reduce(into: [AssetPreviews.kind: handler]) { $0[$1.jobKind] = handler },
            onEnd: MediaWorkStore.tell)
    }

    func sweep() async throws {
        let store = AssetSweeperStore(system: database.system)
        try await AssetSweeper(store: store, objects: objects, logger: .silent).sweep()
    }

    /// How many objects there are.
    func kept() -> Int { files().filter { $0.hasPrefix("kept/") }.count }
}
