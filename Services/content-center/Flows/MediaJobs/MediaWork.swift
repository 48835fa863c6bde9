import DTO
import FoundationEssentials

/// How a job is done: its sources fetched and looked at, FFmpeg run as the plan says, what it made kept.
///
/// It may die at any point and be begun again by another process: until the last step nothing that counts has happened, and that step
/// is one transaction.
struct MediaWork: Sendable {
    let workspace: MediaWorkspace
    let sources: MediaSources
    let ffmpeg: FFmpeg
    let objects: any ObjectStore
    /// Listens to a sound of so many milliseconds; none where no recogniser is set.
    let hear: Hearing?

    typealias Hearing = @Sendable (_ sound: [UInt8], _ language: String, _ durationMs: Int) async throws -> [SubtitleCue]
    /// What a recogniser takes.
    static let longestSound = 25 << 20

    /// Percent when the sources are there, and when FFmpeg is done.
    private static let begun = 5
    private static let made = 95

    /// - Throws: ``MediaFailure``, or what a repetition may mend.
    func perform(_ attempt: MediaAttempt) async throws {
        if try attempt.isDone { return }
        let order = try attempt.order()
        try await workspace.withFolder(of: attempt.id, fence: attempt.fence) { folder in
            let (inputs, title) = try await examine(order, in: folder, attempt)
            if let source = inputs.first { try await attempt.keep(facts: source.facts) }
            var cues: [SubtitleCue] = []
            if let id = order.params?.subtitleAssetId { cues = try await sources.subtitles(id, of: attempt.tenantId) }
            var plan = try MediaPlan.plan(order, inputs, cues: cues)
            for (name, text) in plan.texts { try await folder.write(text, to: name) }
            try await run(plan, in: folder, attempt)
            if let speech = plan.speech {
                let heard = try await MediaPlan.subtitles(listen(to: speech, in: folder))
                for (name, text) in heard.texts { try await folder.write(text, to: name) }
                plan.outputs += heard.outputs
            }
            try await keep(plan.outputs, of: title, in: folder, attempt)
        }
    }

    private func examine(
        _ order: MediaOrder, in folder: MediaFolder, _ attempt: MediaAttempt
    ) async throws -> (inputs: [ExaminedInput], title: String) {
        var (inputs, title): ([ExaminedInput], String?) = ([], nil)
        for (index, source) in order.sources.enumerated() {
            let fetched = try await sources.fetch(source, as: "source\(index)", into: folder, of: attempt.tenantId)
            let facts = try await ffmpeg.facts(of: fetched.input, size: fetched.size, in: folder.path)
            inputs.append(ExaminedInput(file: fetched.input, facts: facts))
            title = title ?? fetched.title
        }
        return (inputs, title ?? "media")
    }

    private func listen(to speech: PlannedSpeech, in folder: MediaFolder) async throws -> [SubtitleCue] {
        guard let hear else { throw MediaFailure.speechRefused }
        guard let sound = try await folder.bytes(of: speech.file, atMost: Self.longestSound) else { throw MediaFailure.tooLong }
        let cues = try await hear(sound, speech.language, speech.durationMs)
        guard !cues.isEmpty else { throw MediaFailure.noSpeech }
        return cues
    }

    private func run(_ plan: MediaPlan, in folder: MediaFolder, _ attempt: MediaAttempt) async throws {
        let total = max(1, plan.steps.reduce(0) { $0 + $1.weight })
        try await attempt.reporting { report in
            report(Self.begun)
            var done = 0
            for step in plan.steps {
                let before = done
                try await ffmpeg.run(step, in: folder.path) { time in
                    guard step.durationMs > 0 else { return }
                    let share = min(1, Double(time) / Double(step.durationMs))
                    let part = (Double(before) + share * Double(step.weight)) / Double(total)
                    report(Self.begun + Int(part * Double(Self.made - Self.begun)))
                }
                done += step.weight
            }
            try await plan.choose(in: folder)
            report(Self.made)
        }
    }

    /// First the bytes, under ids that nobody else's attempt uses, then in one transaction everything that says that they are there.
    private func keep(_ outputs: [PlannedOutput], of title: String, in folder: MediaFolder, _ attempt: MediaAttempt) async throws
    {
        var made: [MadeOutput] = []
        try await attempt.announce(outputs.map(attempt.object))
        do {
            for output in outputs {
                guard let (size, sha256) = try await folder.measure(output.file), size > 0 else { throw MediaFailure.failed }
                let details = try await details(of: output, size: size, in: folder)
                try Task.checkCancellation()
                let object = attempt.object(for: output)
                made.append(
                    MadeOutput(
                        plan: output, object: object, size: size, sha256: sha256, details: details,
                        filename: "\(String(title.prefix(160)))-\(output.name).\(output.type.extensions.first ?? "bin")"))
                try await objects.keep(file: folder.path(of: output.file), as: object)
            }
            // Where the same bytes are there already, ours are not needed.
            for object in try await attempt.keep(outputs: made) { try await attempt.collect(object, from: objects) }
        } catch {
            // The transaction's answer may have got lost: then it counts what is there. A task of its own, since this one may have been
            // cancelled, and then asks nobody anything.
            let (made, objects) = (made, objects)
            await Task.detached {
                for output in made {
                    if let isKept = try? await attempt.isKept(output.object), !isKept { try? await objects.remove(output.object) }
                }
            }.value
            throw error
        }
        for object in try await attempt.leftovers() { try await objects.remove(object) }
    }

    private func details(of output: PlannedOutput, size: Int, in folder: MediaFolder) async throws -> MediaOutputDetails {
        var details = MediaOutputDetails(width: output.width, height: output.height, durationMs: output.durationMs)
        if let duration = output.durationMs, duration > 0 { details.bitrate = size * 8_000 / duration }
        let facts = try await facts(of: output, size: size, in: folder)
        if let name = output.playlist {
            guard let playlist = try await folder.text(of: name), let facts else { throw MediaFailure.failed }
            details.playlist = playlist
            details.codecs = HLSPlaylists.codecs(of: facts)
            details.frameRate = facts.video?.frameRate
        }
        return details
    }

    /// FFmpeg may end in peace and leave half of it: what it made is looked at as any file is.
    ///
    /// - Returns: `nil` for what has no length.
    /// - Throws: ``OutputCut``
    private func facts(of output: PlannedOutput, size: Int, in folder: MediaFolder) async throws -> MediaFacts? {
        guard let planned = output.durationMs, let input = MediaInput(name: output.file, type: output.type) else { return nil }
        let facts: MediaFacts
        do {
            facts = try await ffmpeg.facts(of: input, size: size, in: folder.path)
        } catch MediaFailure.unreadable {
            throw OutputCut(name: output.name, plannedMs: planned, foundMs: nil)
        }
        guard facts.isWhole(plannedMs: planned) else {
            throw OutputCut(name: output.name, plannedMs: planned, foundMs: facts.durationMs)
        }
        return facts
    }
}

extension MediaPlan {
    /// Takes the best of the pictures that compete.
    func choose(in folder: MediaFolder) async throws {
        guard let choice else { return }
        guard let measures = try await folder.text(of: choice.measures),
            let best = FrameRule.best(of: FrameMeasures.read(measures))
        else { throw MediaFailure.noVideo }
        try await folder.move(choice.candidate(best), to: choice.file)
    }
}

/// An output is not as long as what it was made of.
struct OutputCut: Error, CustomStringConvertible {
    let name: String
    let plannedMs: Int
    let foundMs: Int?

    var description: String { "\(name) has \(foundMs.map { "\($0)" } ?? "no") ms of \(plannedMs)" }
}

/// An output whose bytes are in the store.
struct MadeOutput: Sendable, Equatable {
    let plan: PlannedOutput
    let object: UUID
    let size: Int
    let sha256: [UInt8]
    let details: MediaOutputDetails
    let filename: String
}
