import ChildProcesses
import Foundation
import TestSupport
import Testing

/// Programs that run beside us: limits, ends, and that nothing is left of them.
@Suite(.timeLimit(.minutes(2))) struct ChildProcessTests {
    private static func shell(
        _ script: String, time: Duration = .seconds(60), memory: Int = 4 << 30, fileSize: Int = 1 << 20
    ) -> ChildProcess {
        ChildProcess(
            program: "sh", arguments: ["-c", script], directory: FileManager.default.temporaryDirectory.path,
            limits: .init(memory: memory, cpuSeconds: 60, fileSize: fileSize, wallTime: time))
    }

    private static func isAlive(_ pid: Int32) -> Bool {
        // A zombie that its adopter has not collected yet is dead.
        guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        return status.split(separator: ")").last?.split(separator: " ").first != "Z"
    }

    @Test func whatItSaysAndHowItEndedComesBack() async throws {
        let outcome = try await Self.shell("echo out; echo err >&2; exit 3").run()
        #expect(outcome.ending == .exited(3))
        #expect(String(decoding: outcome.output, as: UTF8.self) == "out\n")
        #expect(outcome.complaints == "err\n")
        #expect(try await Self.shell("kill -9 $$").run().ending == .killed(signal: SIGKILL))
        #expect(try await Self.shell("cat; echo done").run().output == Array("done\n".utf8))
    }

    @Test func muchOutputNeitherBlocksItNorFillsUs() async throws {
        let outcome = try await Self.shell("head -c 9000000 /dev/zero; head -c 300000 /dev/zero | tr '\\0' x >&2; echo end >&2")
            .run()
        #expect(outcome.ending == .exited(0))
        #expect(outcome.output.count == ChildProcess.longestOutput)
        #expect(outcome.complaints.utf8.count == ChildProcess.longestComplaint && outcome.complaints.hasSuffix("xend\n"))
    }

    @Test func itHasNothingOfOursButItsThreeStreams() async throws {
        let file = try #require(fopen("/etc/hostname", "r"))
        defer { fclose(file) }
        let outcome = try await Self.shell("ls /proc/$$/fd; env | sort; ulimit -c").run()
        let text = String(decoding: outcome.output, as: UTF8.self)
        #expect(text.hasPrefix("0\n1\n2\n"))
        #expect(!text.contains("TEST_POSTGRES_URL") && text.contains("LANG=C.UTF-8"))
        #expect(text.hasSuffix("\n0\n"))
    }

    @Test func limitsHold() async throws {
        let greedy = try await Self.shell("head -c 300000000 /dev/zero | tail -c 290000000 >/dev/null", memory: 256 << 20).run()
        #expect(greedy.ending != .exited(0))
        let wordy = try await Self.shell("head -c 2000000 /dev/zero >$$.big; code=$?; wc -c <$$.big; rm $$.big; exit $code").run()
        #expect(wordy.ending != .exited(0) && wordy.output == Array("1048576\n".utf8))
    }

    @Test func aLateOneIsEndedWithAllThatItStarted() async throws {
        let pids = Locked<[Int32]>([])
        let outcome = try await Self.shell(
            "sleep 600 & echo $!; echo $$; trap '' TERM; wait; sleep 600", time: .milliseconds(300)
        ).run { piece in
            let found = String(decoding: piece, as: UTF8.self).split(separator: "\n").compactMap { Int32($0) }
            pids.withLock { $0 += found }
        }
        #expect(outcome.ending == .timedOut)
        let all = pids.withLock { $0 }
        #expect(all.count == 2)
        try await eventually("its processes are gone") { !all.contains(where: Self.isAlive) }
    }

    @Test func aCancelledTaskEndsTheWholeGroup() async throws {
        let pids = Locked<[Int32]>([])
        let task = Task {
            try await Self.shell("sleep 600 & echo $!; echo $$; wait").run { piece in
                let found = String(decoding: piece, as: UTF8.self).split(separator: "\n").compactMap { Int32($0) }
                pids.withLock { $0 += found }
            }
        }
        try await eventually("it runs") { pids.withLock { $0.count } == 2 }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        let all = pids.withLock { $0 }
        try await eventually("its processes are gone") { !all.contains(where: Self.isAlive) }
    }

    @Test func whatIsNotInstalledSaysSo() async throws {
        let child = ChildProcess(
            program: "no-such-program", arguments: [], directory: "/tmp",
            limits: .init(memory: 1 << 30, cpuSeconds: 10, fileSize: 1 << 20, wallTime: .seconds(10)))
        let outcome = try await child.run()
        #expect(outcome.ending == .exited(127))
        #expect(outcome.complaints.contains("no-such-program"))
    }
}
