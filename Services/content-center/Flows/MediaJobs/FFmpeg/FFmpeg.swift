import ChildProcesses
import ConcurrencySupport
import FoundationEssentials
import Glibc

/// FFmpeg and ffprobe as we let them run: no network, no playlists, no lists of files, limits on everything.
struct FFmpeg: Sendable {
    /// How large a picture may be that is decoded: 8K.
    static let mostPixels = 7_680 * 4_320
    private static let probeTime = Duration.seconds(30)
    /// Disks are short too: no output needs more.
    private static let largestFile = 8 << 30

    /// Of the address space of each.
    let memory: Int
    /// Of one run.
    let timeLimit: Duration

    /// What stands before every input. The demuxer is the one of the type that we have seen in the file's own bytes: FFmpeg's guess would
    /// take a text for a playlist, and read whatever that names.
    static func input(_ file: MediaInput) -> [String] {
        ["-protocol_whitelist", "file,pipe", "-max_pixels", "\(mostPixels)", "-f", file.demuxer, "-i", file.name]
    }

    /// - Throws: ``MediaFailure``.
    func facts(of file: MediaInput, size: Int, in directory: String) async throws -> MediaFacts {
        let arguments = ["-v", "error", "-of", "json", "-show_entries", ProbeReader.entries] + Self.input(file)
        let outcome = try await child("ffprobe", arguments, in: directory, time: Self.probeTime).run()
        // It shows such a picture as one of no size, in peace.
        if outcome.complaints.contains("exceeds specified max pixel count") { throw MediaFailure.tooLarge }
        try MediaFailure.check(outcome, whileReading: true)
        guard var facts = ProbeReader.facts(outcome.output, type: file.type, size: size) else { throw MediaFailure.unreadable }
        if let video = facts.video, video.width * video.height > Self.mostPixels { throw MediaFailure.tooLarge }
        if facts.durationMs == nil, !facts.isPicture { facts.durationMs = try await length(of: file, facts, in: directory) }
        return facts
    }

    /// Of what was recorded on the way, as browsers do, and never says how long it became: it is read to its end, but not decoded.
    ///
    /// - Returns: milliseconds; `nil` where there is nothing in it.
    private func length(of file: MediaInput, _ facts: MediaFacts, in directory: String) async throws -> Int? {
        let arguments = Self.input(file) + ["-map", facts.video == nil ? "0:a:0" : "0:v:0", "-c", "copy", "-f", "null", "-"]
        let end = Lock(0)
        try await run(MediaStep(arguments: arguments), in: directory) { time in end.withLock { $0 = max($0, time) } }
        return end.withLock { $0 > 0 ? $0 : nil }
    }

    /// - Parameter onTime: told how much of the output is done, in milliseconds of its time.
    /// - Throws: ``MediaFailure``, ``ChildProcess/NotStarted``, `CancellationError`.
    func run(_ step: MediaStep, in directory: String, onTime: @escaping @Sendable (Int) -> Void) async throws {
        let arguments = ["-v", "error", "-nostdin", "-y", "-progress", "pipe:1", "-stats_period", "0.5"] + step.arguments
        let progress = Lock(FFmpegProgress())
        let outcome = try await child("ffmpeg", arguments, in: directory, time: timeLimit).run { piece in
            if let time = progress.withLock({ $0.take(piece) }) { onTime(time) }
        }
        try MediaFailure.check(outcome, whileReading: false)
    }

    func child(_ program: String, _ arguments: [String], in directory: String, time: Duration) -> ChildProcess {
        // All cores may count for as long as it runs.
        let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        return ChildProcess(
            program: program, arguments: arguments, directory: directory,
            limits: .init(
                memory: memory, cpuSeconds: Int(time.components.seconds) * cores, fileSize: Self.largestFile, wallTime: time))
    }
}

/// A file that FFmpeg reads, by its name in the job's folder.
struct MediaInput: Sendable, Equatable {
    let name: String
    let type: FileType
    let demuxer: String

    /// - Returns: `nil` for what is no picture, video or sound that FFmpeg reads.
    init?(name: String, type: FileType) {
        guard let demuxer = type.demuxer else { return nil }
        self.name = name
        self.type = type
        self.demuxer = demuxer
    }
}

extension FileType {
    /// FFmpeg's name for what reads it. Drawings are left out: what they name would be fetched.
    var demuxer: String? {
        switch self {
        case .png: "png_pipe"
        case .jpeg: "jpeg_pipe"
        case .webp: "webp_pipe"
        case .gif: "gif"
        case .mp4, .quickTime, .m4a: "mov"
        case .webm: "matroska"
        case .mp3: "mp3"
        case .wav: "wav"
        case .ogg: "ogg"
        default: nil
        }
    }
}

/// Reads what `-progress` writes: lines of `name=value`.
struct FFmpegProgress: Sendable {
    private var rest: [UInt8] = []

    /// - Returns: the newest time of the output in the piece, in milliseconds.
    mutating func take(_ piece: [UInt8]) -> Int? {
        rest += piece
        guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { return nil }
        let lines = rest[..<end].split(separator: UInt8(ascii: "\n"))
        defer { rest.removeFirst(end + 1) }
        return lines.reversed().lazy.compactMap { line -> Int? in
            let text = String(decoding: line, as: UTF8.self)
            guard text.hasPrefix("out_time_us="), let time = Int(text.dropFirst("out_time_us=".count)) else { return nil }
            return max(0, time / 1_000)
        }.first
    }
}
