import DTO
import Testing

@testable import ContentCenter

@Suite struct WatermarkFontTests {
    @Test(arguments: [
        ("店铺: 50% 'off'", ""), ("©青禾 2026\n第二行", ""), ("Ünïcode café ★①", ""), ("한글 かな", ""), ("上新😀🔥", "😀🔥"),
        ("👨‍👩‍👧 家", "👨‍👩‍👧"), ("a\tb", "\t"), ("❤️", "❤️"), ("零\u{200B}宽", "\u{200B}"), ("😀😀一😁😂😃😄😅", "😀😁😂😃😄"),
        ("مرحبا", "مرحبا"),
    ]) func whatCannotBeDrawnIsFound(text: String, missing: String) {
        #expect(String(WatermarkFont.missing(in: text)) == missing)
    }
}

/// What FFmpeg is told, as values.
@Suite struct MediaPlanTests {
    private func source(
        _ width: Int, _ height: Int, type: FileType = .mp4, ms: Int? = 6_000, audio: Bool = true, alpha: Bool = false,
        rate: Double = 25
    ) throws -> ExaminedInput {
        var facts = MediaFacts(type: type.rawValue, size: 1_000, durationMs: type.kind == .image ? nil : ms)
        facts.video = .init(codec: "h264", width: width, height: height, frameRate: rate, hasAlpha: alpha)
        if audio { facts.audio = .init(codec: "aac", channels: 2, sampleRate: 48_000) }
        return ExaminedInput(file: try #require(MediaInput(name: "source0.mp4", type: type)), facts: facts)
    }

    private func order(_ type: MediaJobType, _ params: MediaJobParams? = nil, profiles: [MediaProfile]? = nil) -> MediaOrder {
        MediaOrder(type: type, priority: .normal, profiles: profiles, params: params, subject: "user-1")
    }

    @Test(arguments: [
        // Whatever is asked for, never more than there is; by the shorter side; sides are even.
        (1_920, 1_080, [MediaProfile.p1080, .p720], ["1920x1080", "1280x720"]),
        (1_080, 1_920, [.p720, .p1080], ["1080x1920", "720x1280"]), (640, 360, [.p1080, .p720], ["640x360"]),
        (853, 481, [.p1080, .p480, .p360], ["852x480", "638x360"]), (3_840, 2_160, [.p2160, .p720], ["3840x2160", "1280x720"]),
        (1_440, 1_080, [.p720], ["960x720"]), (101, 33, [.p360], ["98x32"]),
    ])
    func ratesNeverExceedTheSource(width: Int, height: Int, profiles: [MediaProfile], sizes: [String]) {
        let video = MediaFacts.Video(codec: "h264", width: width, height: height, frameRate: 25, hasAlpha: false)
        #expect(TranscodeLadder.rungs(profiles, of: video).map { "\($0.width)x\($0.height)" } == sizes)
    }

    @Test func everyInputIsForcedIntoItsTypeAndAwayFromTheNetwork() throws {
        let (video, second) = (try source(640, 360), try source(320, 240))
        let picture = try source(400, 300, type: .png)
        let orders: [(MediaOrder, [ExaminedInput])] = [
            (order(.transcode), [video]), (order(.cover), [video]), (order(.thumbnail), [video]), (order(.audio), [video]),
            (order(.concat), [video, second]), (order(.watermark, MediaJobParams(text: "x")), [video]),
            (order(.watermark), [video, picture]), (order(.imageVariants), [picture]),
        ]
        for (order, inputs) in orders {
            let plan = try MediaPlan.plan(order, inputs)
            #expect(!plan.steps.isEmpty && !plan.outputs.isEmpty)
            for step in plan.steps {
                let arguments = step.arguments
                for index in arguments.indices where arguments[index] == "-i" {
                    #expect(arguments[index - 2] == "-f" && ["mov", "png_pipe"].contains(arguments[index - 1]))
                    #expect(arguments[index - 6..<index - 4] == ["-protocol_whitelist", "file,pipe"])
                }
                #expect(arguments.contains("-map_metadata"))
            }
        }
    }

    @Test func whatPeopleWriteStandsInNoArgument() throws {
        let text = "a':x=0,drawtext=textfile=/etc/passwd"
        let plan = try MediaPlan.plan(order(.watermark, MediaJobParams(text: text)), [try source(640, 360)])
        #expect(plan.texts.values.contains(text))
        #expect(!plan.steps.contains { $0.arguments.contains { $0.contains("passwd") } })
    }

    @Test func theLargestRateIsEncodedOnceForBothContainers() throws {
        let plan = try MediaPlan.plan(order(.transcode, profiles: [.p720, .p1080]), [try source(1_920, 1_080)])
        #expect(plan.outputs.map(\.name) == ["1080p", "720p", "1080p", "cover"])
        #expect(plan.outputs.map(\.kind) == [.hlsRendition, .hlsRendition, .mp4, .cover])
        let transcode = try #require(plan.steps.first).arguments
        #expect(transcode.filter { $0 == "libx264" }.count == 2)
        #expect(transcode.contains { $0.hasPrefix("[f=hls:") && $0.hasSuffix("|[f=mp4:movflags=+faststart]video.mp4") })
        let silent = try MediaPlan.plan(order(.transcode), [try source(640, 360, audio: false)])
        #expect(silent.steps.first?.arguments.contains("0:a:0") == false)
        let only = try MediaPlan.plan(
            order(.transcode, MediaJobParams(hls: false, mp4: true, cover: false)), [try source(1_280, 720)])
        #expect(only.outputs.map(\.kind) == [.mp4])
    }

    @Test func picturesAreNeverEnlarged() throws {
        let picture = try source(400, 300, type: .png, alpha: true)
        let variants = try MediaPlan.plan(order(.imageVariants, MediaJobParams(widths: [100, 400, 1_080])), [picture])
        #expect(variants.outputs.map { "\($0.name) \($0.width ?? 0)x\($0.height ?? 0)" } == ["w100 100x75", "w400 400x300"])
        // What shows through stays so unless JPEG is asked for, which stands on white.
        #expect(variants.outputs.allSatisfy { $0.type == .webp })
        let flat = try MediaPlan.plan(order(.imageVariants, MediaJobParams(format: .jpeg)), [picture])
        #expect(flat.steps.first?.arguments.contains { $0.hasPrefix("color=white:s=400x300") } == true)
        let cover = try MediaPlan.plan(order(.cover), [try source(3_840, 2_160)])
        #expect(cover.outputs.first?.width == 1_920 && cover.outputs.first?.height == 1_080)
    }

    @Test func whatCannotBeDoneIsSaid() throws {
        let soundless = try source(640, 360, audio: false)
        #expect(throws: MediaFailure.noAudio) { try MediaPlan.plan(order(.audio), [soundless]) }
        #expect(throws: MediaFailure.beyondEnd) {
            try MediaPlan.plan(order(.cover, MediaJobParams(atSecond: 6)), [soundless])
        }
        #expect(throws: MediaFailure.tooLong) {
            try MediaPlan.plan(order(.transcode), [try source(640, 360, ms: MediaPlan.longestMs + 1)])
        }
        var onlySound = MediaFacts(type: FileType.mp4.rawValue, size: 1, durationMs: 1_000)
        onlySound.audio = .init(codec: "aac", channels: 1, sampleRate: 44_100)
        let input = ExaminedInput(file: soundless.file, facts: onlySound)
        for type in [MediaJobType.transcode, .cover, .thumbnail] {
            #expect(throws: MediaFailure.noVideo) { try MediaPlan.plan(order(type), [input]) }
        }
    }

    @Test func subtitlesFitTheirPictureAndStandInAFile() throws {
        let cues = [SubtitleCue(startMilliseconds: 0, endMilliseconds: 1_500, lines: ["字幕'一", "第二行"])]
        let burn = order(.burnSubtitle, MediaJobParams(subtitleAssetId: nil))
        for (width, height, size) in [(1_920, 1_080, 18), (1_080, 1_920, 9)] {
            let plan = try MediaPlan.plan(burn, [try source(width, height)], cues: cues)
            #expect(plan.texts.values.contains { $0.contains("字幕'一\r\n第二行") })
            #expect(plan.steps.first?.arguments.contains { $0.contains("FontSize=\(size),") && !$0.contains("字幕") } == true)
        }
        let mux = try MediaPlan.plan(order(.burnSubtitle, MediaJobParams(mode: .mux)), [try source(641, 360)], cues: cues)
        let arguments = try #require(mux.steps.first).arguments
        #expect(!arguments.contains("libx264") && arguments.contains("mov_text"))
        #expect(mux.outputs.first?.width == 641)
        let speech = try MediaPlan.plan(order(.subtitle, MediaJobParams(language: "en")), [try source(640, 360)])
        #expect(speech.speech == PlannedSpeech(file: "speech.m4a", language: "en", durationMs: 6_000) && speech.outputs.isEmpty)
    }

    @Test func progressIsReadFromPiecesCutAnywhere() {
        var progress = FFmpegProgress()
        #expect(progress.take(Array("frame=1\nout_time_us=40".utf8)) == nil)
        #expect(progress.take(Array("0000\nout_time_us=800000\nprogress=cont".utf8)) == 800)
        #expect(progress.take(Array("inue\nout_time_us=N/A\nprogress=end\n".utf8)) == nil)
    }

    @Test func aReportOfFFprobeIsReadAsTheVideoIsShown() throws {
        let report = """
            {"streams": [
                {"codec_name": "mjpeg", "codec_type": "video", "width": 9, "height": 9, "disposition": {"attached_pic": 1}},
                {"codec_name": "h264", "codec_type": "video", "width": 1920, "height": 1080, "sample_aspect_ratio": "1:1",
                 "avg_frame_rate": "30000/1001", "duration": "6.006000", "pix_fmt": "yuv420p", "profile": "High", "level": 40,
                 "side_data_list": [{"rotation": -90}]},
                {"codec_name": "aac", "codec_type": "audio", "sample_rate": "44100", "channels": 1}
            ], "format": {"duration": "6.100000", "bit_rate": "8000000"}}
            """
        let facts = try #require(ProbeReader.facts(Array(report.utf8), type: .mp4, size: 7))
        let video = try #require(facts.video)
        #expect((video.width, video.height, video.frameRate) == (1_080, 1_920, 29.97))
        #expect((facts.durationMs, facts.audio?.channels, facts.bitrate) == (6_006, 1, 8_000_000))
        #expect(HLSPlaylists.codecs(of: facts) == "avc1.640028,mp4a.40.2")
        #expect(ProbeReader.facts(Array(#"{"streams": [], "format": {}}"#.utf8), type: .mp4, size: 7) == nil)
        #expect(ProbeReader.facts(Array("nothing".utf8), type: .mp4, size: 7) == nil)
    }
}
