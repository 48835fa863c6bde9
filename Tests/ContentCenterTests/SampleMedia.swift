import Foundation

/// Small real videos and pictures, made by FFmpeg when first asked for.
enum SampleMedia {
    /// Two seconds of 320 × 240 at 25 pictures per second, with sound.
    static let video = made(
        "a.mp4", "-f lavfi -i testsrc2=size=320x240:rate=25:duration=2 -f lavfi -i sine=duration=2 \(h264) -c:a aac")
    /// The same upright, without sound, one second.
    static let uprightSilentVideo = made("a.mp4", "-f lavfi -i testsrc2=size=240x426:rate=30:duration=1 \(h264)")
    /// The file ends before what its head says does.
    static let cutVideo = Array(longVideo.prefix(longVideo.count * 6 / 10))
    private static let longVideo = made(
        "a.mp4", "-f lavfi -i testsrc2=size=320x240:rate=25:duration=10 \(h264) -movflags +faststart")
    /// As browsers record: nothing in it says how long it is.
    static let endlessVideo = made(
        "a.webm",
        "-f lavfi -i color=black:size=320x240:rate=25:duration=3 -f lavfi -i testsrc2=size=320x240:rate=25:duration=3 "
            + "-filter_complex [0:v][1:v]concat=n=2:v=1[v] -map [v] -c:v libvpx -b:v 300k -deadline realtime -live 1")
    /// 67 million pixels.
    static let hugePicture = made("a.png", "-f lavfi -i color=black:size=8192x8192:duration=0.04,format=gray -frames:v 1")
    static let picture = made("a.png", "-f lavfi -i testsrc2=size=400x300:duration=0.04 -frames:v 1")
    /// With alpha.
    static let logo = made("a.png", "-f lavfi -i color=red@0.5:size=100x50:duration=0.04,format=rgba -frames:v 1")
    static let sound = made("a.mp3", "-f lavfi -i sine=duration=1 -c:a libmp3lame")
    /// Black first, then a scene.
    static let blackThenScene = made(
        "a.mp4",
        "-f lavfi -i color=black:size=320x240:rate=25:duration=0.4 -f lavfi -i testsrc2=size=320x240:rate=25:duration=2 "
            + "-filter_complex [0:v][1:v]concat=n=2:v=1[v] -map [v] \(h264)")

    private static let h264 = "-c:v libx264 -preset ultrafast -threads 1 -pix_fmt yuv420p"

    private static func made(_ name: String, _ arguments: String) -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sample-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let file = folder.appending(path: name)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/ffmpeg")
            process.arguments = ["-v", "error", "-nostdin"] + arguments.split(separator: " ").map(String.init) + [file.path]
            try process.run()
            process.waitUntilExit()
            return [UInt8](try Data(contentsOf: file))
        } catch {
            // A test that reads nothing fails by itself.
            return []
        }
    }
}
