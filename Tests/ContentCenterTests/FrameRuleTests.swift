import Testing

@testable import ContentCenter

/// Which picture of a video becomes its cover.
@Suite struct FrameRuleTests {
    private let scene = FrameMeasure(number: 3, blur: 5, entropy: 0.8, light: 120, dark: 30, bright: 210, saturation: 60)

    private func changed(_ number: Int, _ change: (inout FrameMeasure) -> Void) -> FrameMeasure {
        var frame = scene
        frame.number = number
        change(&frame)
        return frame
    }

    @Test func theScenesOwnPictureIsBetterThanWhatSpoilsIt() {
        let spoilt = [
            changed(0) { ($0.blur, $0.entropy, $0.light, $0.dark, $0.bright) = (nil, 0, 0, 0, 0) },
            changed(1) { $0.blur = 40 }, changed(2) { ($0.light, $0.dark, $0.bright) = (12, 4, 30) },
            changed(4) { ($0.light, $0.bright) = (250, 255) }, changed(5) { $0.entropy = 0.2 },
            changed(6) { $0.saturation = 0 }, changed(7) { ($0.dark, $0.bright) = (110, 130) },
            changed(8) { $0.blur = .infinity },
        ]
        for frame in spoilt {
            #expect(FrameRule.score(frame) < 0.85 * FrameRule.score(scene), "\(frame)")
            #expect(FrameRule.best(of: [frame, scene]) == scene && FrameRule.best(of: [scene, frame]) == scene)
        }
        #expect(FrameRule.best(of: spoilt + [scene]) == scene)
        #expect((0...1).contains(FrameRule.score(scene)))
    }

    @Test func ofEqualsTheFirstIsTaken() {
        let later = changed(9) { $0.blur = 4.9 }
        #expect(FrameRule.best(of: [scene, later]) == scene)
        // One that is all black has one all the same.
        let black = (0..<3).map { FrameMeasure(number: $0) }
        #expect(FrameRule.best(of: black)?.number == 0)
        #expect(FrameRule.best(of: []) == nil)
    }

    @Test func whatTheFiltersPrintIsRead() {
        let text = """
            frame:0    pts:0       pts_time:0
            lavfi.blur=-nan
            lavfi.entropy.normalized_entropy.normal.Y=0.000000
            lavfi.signalstats.YAVG=0
            frame:1    pts:1       pts_time:0.5
            lavfi.blur=4.832370
            lavfi.entropy.entropy.normal.Y=4.269054
            lavfi.entropy.normalized_entropy.normal.Y=0.533632
            lavfi.signalstats.YLOW=29
            lavfi.signalstats.YAVG=124.209
            lavfi.signalstats.YHIGH=226
            lavfi.signalstats.SATAVG=123.584

            """
        #expect(
            FrameMeasures.read(text) == [
                FrameMeasure(number: 0),
                FrameMeasure(
                    number: 1, blur: 4.83237, entropy: 0.533632, light: 124.209, dark: 29, bright: 226, saturation: 123.584),
            ])
        #expect(FrameMeasures.read("nothing\nlavfi.blur=1\n") == [])
    }
}
