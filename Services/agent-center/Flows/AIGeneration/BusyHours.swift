import FoundationEssentials

/// When a vendor's peak rates hold: wall time in a zone, on some days of the week, but for single days.
struct BusyHours: Sendable, Equatable {
    /// In the order of the week, as ``CivilTime/weekday`` counts them.
    enum Day: String, Sendable, CaseIterable {
        case sun, mon, tue, wed, thu, fri, sat
    }

    /// In minutes of the day.
    struct Span: Sendable, Equatable {
        let from: Int
        /// Exclusive; 1,440 is the day's end.
        let until: Int
    }

    /// IANA.
    let zone: String
    let offsets: ZoneOffsets
    let days: Set<Day>
    let spans: [Span]
    /// Days since 1970, such as public holidays. One that is missing here is billed as busy: too high rather than too low.
    let except: Set<Int>

    func contains(_ instant: Date) -> Bool {
        let seconds = Int(instant.timeIntervalSince1970.rounded(.down))
        let local = seconds + offsets.offset(at: seconds)
        let day = Int((Double(local) / 86_400).rounded(.down))
        let weekday = Day.allCases[CivilTime(secondsSince1970: local).weekday]
        guard days.contains(weekday), !except.contains(day) else { return false }
        let minute = (local - day * 86_400) / 60
        return spans.contains { $0.from <= minute && minute < $0.until }
    }

    /// DeepSeek's, by its page on prices of October 2026: 09–12 and 14–18 in Beijing, Monday to Friday, not on public holidays (those of the
    /// State Council that fall on weekdays until the next year's are published; a later price brings its own).
    static let deepSeek = BusyHours(
        zone: "Asia/Shanghai", offsets: .fixed(8 * 3_600), days: [.mon, .tue, .wed, .thu, .fri],
        spans: [Span(from: 9 * 60, until: 12 * 60), Span(from: 14 * 60, until: 18 * 60)],
        except: Set(
            [(2026, 10, 1), (2026, 10, 2), (2026, 10, 5), (2026, 10, 6), (2026, 10, 7), (2027, 1, 1)].map {
                CivilTime.days(year: $0.0, month: $0.1, day: $0.2)
            }))
}

/// By how much a zone's wall clock goes before UTC, and since when. The database knows the zones; see `CatalogueStore`.
struct ZoneOffsets: Sendable, Equatable {
    struct Change: Sendable, Equatable {
        /// Seconds since 1970.
        let at: Int
        /// Seconds east of Greenwich.
        let offset: Int
    }

    /// In the order of time; the first holds also before, the last for ever.
    private let changes: [Change]

    /// - Parameter samples: in the order of time; those that say nothing new are left out.
    init(samples: [Change]) {
        changes = samples.reduce(into: []) { kept, next in if kept.last?.offset != next.offset { kept.append(next) } }
    }

    static func fixed(_ offset: Int) -> ZoneOffsets { ZoneOffsets(samples: [Change(at: 0, offset: offset)]) }

    func offset(at seconds: Int) -> Int {
        (changes.last { $0.at <= seconds } ?? changes.first)?.offset ?? 0
    }
}
