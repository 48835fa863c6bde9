import Testing

@testable import AgentCenter

@Suite("Line differences")
struct LineDiffTests {
    /// In the unified format.
    private static func unified(_ diff: LineDiff) -> String {
        diff.hunks.map { hunk in
            "@@ -\(hunk.fromLine),\(hunk.fromCount) +\(hunk.toLine),\(hunk.toCount) @@\n"
                + hunk.lines.map { ($0.kind == .context ? " " : $0.kind == .added ? "+" : "-") + $0.text }.joined(separator: "\n")
        }.joined(separator: "\n")
    }

    @Test("Equal texts have no hunks")
    func equal() {
        let diff = LineDiff(from: "a\nb", to: "a\nb")
        #expect(diff.hunks.isEmpty && diff.added == 0 && diff.removed == 0)
    }

    @Test("As diff -U1 writes it")
    func hunks() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9"
        let new = "1\n二\n3\n4\n5\n6\n6½\n7\n8"
        let diff = LineDiff(from: old, to: new, around: 1)
        #expect(
            Self.unified(diff) == """
                @@ -1,3 +1,3 @@
                 1
                -2
                +二
                 3
                @@ -6,4 +6,4 @@
                 6
                +6½
                 7
                 8
                -9
                """)
        #expect(diff.added == 2 && diff.removed == 2)
    }

    @Test("Changes that are near share a hunk; sides without lines begin at the line before")
    func joined() {
        #expect(
            Self.unified(LineDiff(from: "a\nb\nc", to: "x\nb\ny", around: 1)) == """
                @@ -1,3 +1,3 @@
                -a
                +x
                 b
                -c
                +y
                """)
        #expect(Self.unified(LineDiff(from: "a\nc", to: "a\nb\nc", around: 0)) == "@@ -1,0 +2,1 @@\n+b")
        #expect(Self.unified(LineDiff(from: "a\nb\nc", to: "a\nc", around: 0)) == "@@ -2,1 +1,0 @@\n-b")
    }

    @Test("Either side can be made of the other")
    func applies() {
        let old = (0..<300).map { "line \($0 * 7 % 40)" }
        let new = (0..<280).map { "line \($0 * 11 % 45)" }
        let diff = LineDiff(from: old.joined(separator: "\n"), to: new.joined(separator: "\n"), around: 1_000)
        #expect(diff.hunks.flatMap(\.lines).filter { $0.kind != .added }.map(\.text) == old)
        #expect(diff.hunks.flatMap(\.lines).filter { $0.kind != .removed }.map(\.text) == new)
    }
}
