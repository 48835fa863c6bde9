import Glibc

/// An instant in nanoseconds since 1970, as log lines and spans want it.
struct WallClock: Sendable, Equatable {
    let nanoseconds: Int64

    static func now() -> WallClock {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallClock(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// `2026-11-20T18:51:03.042Z`. Written by hand because a formatter costs more than the rest of the line.
    var rfc3339: String {
        let seconds = nanoseconds / 1_000_000_000
        let milliseconds = nanoseconds / 1_000_000 % 1_000
        let secondOfDay = seconds % 86_400
        let (year, month, day) = Self.civil(daysSince1970: seconds / 86_400)
        return String(unsafeUninitializedCapacity: 24) { text in
            func put(_ number: Int64, at start: Int, digits: Int, end: UInt8) {
                var rest = number
                for index in (start..<start + digits).reversed() {
                    text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                    rest /= 10
                }
                text[start + digits] = end
            }
            put(year, at: 0, digits: 4, end: UInt8(ascii: "-"))
            put(month, at: 5, digits: 2, end: UInt8(ascii: "-"))
            put(day, at: 8, digits: 2, end: UInt8(ascii: "T"))
            put(secondOfDay / 3_600, at: 11, digits: 2, end: UInt8(ascii: ":"))
            put(secondOfDay / 60 % 60, at: 14, digits: 2, end: UInt8(ascii: ":"))
            put(secondOfDay % 60, at: 17, digits: 2, end: UInt8(ascii: "."))
            put(milliseconds, at: 20, digits: 3, end: UInt8(ascii: "Z"))
            return 24
        }
    }

    /// Days to the Gregorian calendar, counting years from March (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private static func civil(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }
}
