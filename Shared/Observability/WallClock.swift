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
        var text: [UInt8] = []
        text.reserveCapacity(24)
        func put(_ number: Int64, _ digits: Int, _ end: Character) {
            var divisor: Int64 = digits == 4 ? 1_000 : digits == 3 ? 100 : 10
            while divisor > 0 {
                text.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
                divisor /= 10
            }
            text.append(contentsOf: String(end).utf8)
        }
        put(year, 4, "-")
        put(month, 2, "-")
        put(day, 2, "T")
        put(secondOfDay / 3_600, 2, ":")
        put(secondOfDay / 60 % 60, 2, ":")
        put(secondOfDay % 60, 2, ".")
        put(milliseconds, 3, "Z")
        return String(decoding: text, as: UTF8.self)
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
