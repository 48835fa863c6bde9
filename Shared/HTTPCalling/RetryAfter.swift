public import HTTPCore

/// How long the other side asks to wait: RFC 9110 §10.2.3, and OpenAI's finer `retry-after-ms`.
public enum RetryAfter {
    /// - Returns: `nil` if there is no hint or it cannot be read; zero for a date that has passed.
    public static func parse(_ headers: HTTPHeaders, secondsSince1970 now: Double) -> Duration? {
        if let text = headers["retry-after-ms"], let milliseconds = Double(text), (0..<1e9).contains(milliseconds) {
            return .microseconds(Int64(milliseconds * 1_000))
        }
        guard let text = headers["retry-after"] else { return nil }
        if let seconds = Double(text) {
            return (0..<1e9).contains(seconds) ? .milliseconds(Int64(seconds * 1_000)) : nil
        }
        guard let instant = httpDate(text) else { return nil }
        return .milliseconds(Int64(max(0, Double(instant) - now) * 1_000))
    }

    /// Reads the three forms of RFC 9110 §5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` and
    /// `Sun Nov  6 08:49:37 1994`. Answers seconds since 1970.
    static func httpDate(_ text: String) -> Int? {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "," || $0 == "-" }).map(String.init)
        let fields: (day: String, month: String, year: String, time: String)
        if words.count == 6, words[5] == "GMT" {
            fields = (words[1], words[2], words[3], words[4])
        } else if words.count == 5 {
            fields = (words[2], words[1], words[4], words[3])
        } else {
            return nil
        }
        let clock = fields.time.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard let month = months.firstIndex(of: fields.month), let day = Int(fields.day), var year = Int(fields.year),
            clock.count == 3, let hour = clock[0], let minute = clock[1], let second = clock[2],
            (1...31).contains(day), (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        if fields.year.count == 2 { year += year < 70 ? 2000 : 1900 }
        guard (1970...9999).contains(year) else { return nil }
        return daysSince1970(year: year, month: month + 1, day: day) * 86_400 + hour * 3_600 + minute * 60 + second
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Days of the proleptic Gregorian calendar, counted in years that begin in March.
    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
