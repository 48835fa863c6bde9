import DTO
import Jobs
import Lifecycle
import Messaging
import ServiceDefaults

/// Media jobs, and who does them.
extension Application {
    struct Media {
        let jobs: MediaJobs
        let consumers: [any Service]
        let background: [any Service]
    }

    static func media(
        _ settings: Settings, _ runtime: ServiceRuntime, assets: Assets, folder: LocalObjectStore, inspector: FileInspector,
        uploads: AssetUploadStore
    ) -> Media {
        let box = WorkerBox()
        let tickets = MediaTickets(publisher: runtime.publisher, logger: runtime.logger)
        let origins = MediaOrigins(settings.mediaSourceOrigins)
        let store = MediaJobsStore(
            database: runtime.database,
            onOrder: { job, tenantId, priority in
                box.value?.wake()
                tickets.send(job, of: tenantId, priority)
            }, onCancel: { box.value?.cancelRequested($0) })
        let jobs = MediaJobs(
            store: store, assets: assets, objects: assets.objects,
            passes: PlaylistPasses(objectKey: settings.objectKey, publicURL: settings.objectURL), origins: origins,
            canHear: settings.speech != nil)
        guard settings.mediaWorkers > 0 else { return Media(jobs: jobs, consumers: [], background: []) }

        let workspace = MediaWorkspace(directory: settings.mediaDirectory)
        let work = MediaWork(
            workspace: workspace,
            sources: MediaSources(
                assets: assets, objects: assets.objects, origins: origins, http: runtime.http, inspector: inspector),
            ffmpeg: FFmpeg(memory: settings.mediaMemory, timeLimit: settings.mediaTimeout), objects: assets.objects,
            hear: settings.speech.map { hearing(SpeechRecognition(settings: $0, http: runtime.http, tracer: runtime.tracer)) })
        let workStore = MediaWorkStore(database: runtime.database, uploads: uploads) { runtime.outbox.wake() }
        let kinds = MediaPriority.allCases.map(\.jobKind)
        let handler = workStore.handler(work)
        let previews = AssetPreviews(
            workspace: workspace, sources: work.sources, ffmpeg: work.ffmpeg, objects: assets.objects)
        let worker = JobWorker(
            app: runtime.database, system: runtime.system,
            handlers: kinds.reduce(into: [AssetPreviews.kind: workStore.handler(previews)]) { $0[$1] = handler },
            configuration: .init(
                concurrency: settings.mediaWorkers, lease: .seconds(15), order: kinds,
                // Video takes longer than a shutdown may: others go on with it.
                stopPatience: settings.common.drainDeadline / 4, share: settings.mediaShare),
            onEnd: MediaWorkStore.tell, logger: runtime.logger, metrics: runtime.metrics)
        box.value = worker
        return Media(
            jobs: jobs, consumers: MediaTicketsConsumer(worker: worker).consumers(runtime),
            background: [MediaWorkers(worker: worker, workspace: workspace, objects: folder, logger: runtime.logger)])
    }

    /// What may mend by itself is tried again: also a key that somebody has to correct.
    private static func hearing(_ recognition: SpeechRecognition) -> MediaWork.Hearing {
        { sound, language, duration in
            do {
                return try await recognition.transcribe(
                    sound, filename: "speech.m4a", mediaType: FileType.m4a.rawValue, language: language,
                    durationMilliseconds: duration
                ).cues(durationMilliseconds: duration)
            } catch let failure as SpeechFailure where failure.kind == .rejected || failure.kind == .unusable {
                throw MediaFailure.speechRefused
            }
        }
    }
}
