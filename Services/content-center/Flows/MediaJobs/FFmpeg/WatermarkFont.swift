/// The font of watermarks, WenQuanYi Micro Hei 0.2.0: what it has no picture of would be drawn as a box.
enum WatermarkFont {
    /// Has Chinese; where it is not installed fontconfig finds another.
    static let name = "WenQuanYi Micro Hei"

    /// The first of the characters that cannot be drawn, each once.
    static func missing(in text: String, atMost count: Int = 5) -> [Character] {
        var found: [Character] = []
        for character in text where !draws(character) && !found.contains(character) {
            found.append(character)
            if found.count == count { break }
        }
        return found
    }

    /// Scalars are drawn one beside the other: what is put together from several, as most emoji are, is not drawn as one.
    private static func draws(_ character: Character) -> Bool {
        if character.isNewline { return true }
        guard character.unicodeScalars.count == 1, let scalar = character.unicodeScalars.first else { return false }
        let range = ranges.firstPlace { $0.upperBound >= scalar.value }
        return range < ranges.count && ranges[range].contains(scalar.value)
    }

    /// `fc-query -f '%{charset}' wqy-microhei.ttc`, without what shows nothing.
    private static let ranges: [ClosedRange<UInt32>] = """
        20-7E A0-AC AE-17F 192 1A0-1A1 1AF-1B0 1CE 1D0 1D2 1D4 1D6 1D8 1DA 1DC 1F0 1FA-1FF 218-219 2BC 2C6-2C7 2C9-2CB
        2CD 2D0 2D8-2DD 2F3 384-38A 38C 38E-3A1 3A3-3CE 3D1-3D2 3D6 400-482 48A-513 E3F 1E00-1E01 1E3E-1E3F 1E80-1E85
        1EA0-1EF9 1F4D 2000-200A 2010 2013-201E 2020-2022 2025-2027 2030 2032-2033 2035 2039-203C 203E 2044 2074 207F
        2081-2084 20A0-20A8 20AB-20B5 2103 2105 2109 2111 2113 2116 2118 211C 2121-2122 2126 212B 212E 2133 2135
        2153-2154 215B-215E 2160-216B 2170-2179 2190-2200 2202-2203 2205-2209 220B-220C 220F 2211-2212 2215 2217 221A
        221D-2220 2223 2225 2227-222C 222E 2234-2237 223C-223D 2245 2248 224C 2252 2260-2261 2264-2267 226A-226B
        226E-226F 2282-2287 2295 2297 2299 22A5 22BF 22C5 2308-230B 2312 23AF 2460-24B5 24D0-24E9 2500-254B 2550-2574
        2581-258F 2592-2595 25A0-25A1 25A3-25AA 25B2-25B3 25B6-25B7 25BC-25BD 25C0-25C1 25C6-25C8 25CA-25CB 25CE-25D1
        25E2-25E6 25EF 2605-2606 260E-260F 261C 261E 2640 2642 2654-266A 266C-266D 266F 2680-2685 2713-2716 2718 2727
        3000-3003 3005-3017 301D-301F 3021-3029 3041-3094 309B-309E 30A1-30F6 30FB-30FE 3105-3129 3131-318E 3200-321C
        3220-3229 3231-3232 3239 3260-327B 327F 32A3-32A8 3303 330D 3314 3318 3322-3323 3326-3327 332B 3336 333B
        3349-334A 334D 3351 3357 337B-337E 3380-3384 3388-33CA 33CD-33D3 33D5-33D6 33D8 33DB-33DD 4D00 4DB5 4E00-9FC3
        AC00-D7A3 F900-FA2D FB01-FB04 FE30-FE31 FE33-FE44 FE49-FE52 FE54-FE57 FE59-FE66 FE68-FE6B FF01-FF5E FF61-FF9F
        FFE0-FFE6 10400 10428 1044D-1044F 1D30C
        """.split(whereSeparator: \.isWhitespace).compactMap { word in
            let ends = word.split(separator: "-").compactMap { UInt32($0, radix: 16) }
            guard let first = ends.first, let last = ends.last, first <= last else { return nil }
            return first...last
        }
}

extension [ClosedRange<UInt32>] {
    /// The first place at which the condition holds, as it does at all behind it.
    fileprivate func firstPlace(where holds: (ClosedRange<UInt32>) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
