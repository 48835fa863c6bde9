import HTTPCore

/// How many tokens an answer may take: a number, or a sum over the prompt's integer variables such as
/// `200 + count * (maxLength * 2 + 40)`. Whole numbers, `+`, `-`, `*`, `/` and brackets; always within ``limits``.
struct TokenFormula: Sendable, Equatable {
    indirect enum Term: Sendable, Equatable {
        case number(Int)
        case variable(String)
        case sum(Term, Term)
        case difference(Term, Term)
        case product(Term, Term)
        case quotient(Term, Term)
    }

    struct Malformed: Error, Equatable {
        let problem: LocalizedText
    }

    static let limits = 1...32_768

    /// Between which numbers its value lies before the limits cut it.
    ///
    /// - Parameter ranges: those of the variables; another one counts as 0, as one that is left out does.
    func range(_ ranges: [String: ClosedRange<Int>]) -> ClosedRange<Double> { Self.range(of: term, ranges) }

    private static func range(of term: Term, _ ranges: [String: ClosedRange<Int>]) -> ClosedRange<Double> {
        func corners(_ a: Term, _ b: Term, _ operation: (Double, Double) -> Double) -> ClosedRange<Double> {
            let (x, y) = (range(of: a, ranges), range(of: b, ranges))
            let values = [x.lowerBound, x.upperBound].flatMap { left in
                [y.lowerBound, y.upperBound].map { operation(left, $0) }
            }
            return (values.min() ?? 0)...(values.max() ?? 0)
        }
        switch term {
        case .number(let number): return Double(number)...Double(number)
        case .variable(let name):
            let range = ranges[name] ?? 0...0
            return Double(range.lowerBound)...Double(range.upperBound)
        case .sum(let a, let b): return corners(a, b, +)
        case .difference(let a, let b): return corners(a, b, -)
        case .product(let a, let b): return corners(a, b, *)
        case .quotient(let a, let b):
            let divisor = range(of: b, ranges)
            // What is divided by 0 is 0; by less than 1 nothing is divided.
            if divisor.contains(0) {
                let most = max(abs(range(of: a, ranges).lowerBound), abs(range(of: a, ranges).upperBound))
                return divisor == 0...0 ? 0...0 : -most...most
            }
            return corners(a, b) { ($0 / $1).rounded(.towardZero) }
        }
    }

    let term: Term
    /// As it was written.
    let text: String

    init(_ text: String) throws(Malformed) {
        self.text = text
        var parser = Parser(rest: text[...])
        term = try parser.sum(depth: 0)
        parser.skipSpaces()
        guard parser.rest.isEmpty else { throw Malformed(unexpected: parser.rest) }
    }

    var variables: Set<String> { Self.variables(of: term) }

    /// - Parameter integers: a variable that is missing counts as 0.
    func value(_ integers: [String: Int]) -> Int {
        min(max(Self.value(of: term, integers), Self.limits.lowerBound), Self.limits.upperBound)
    }

    private static func variables(of term: Term) -> Set<String> {
        switch term {
        case .number: []
        case .variable(let name): [name]
        case .sum(let a, let b), .difference(let a, let b), .product(let a, let b), .quotient(let a, let b):
            variables(of: a).union(variables(of: b))
        }
    }

    /// Beyond 64 bits the value stays at the end of its range: the limits cut it anyway.
    private static func value(of term: Term, _ integers: [String: Int]) -> Int {
        func apply(
            _ a: Term, _ b: Term, _ operation: (Int, Int) -> (partialValue: Int, overflow: Bool), whenTooBig: (Int, Int) -> Int
        ) -> Int {
            let (x, y) = (value(of: a, integers), value(of: b, integers))
            let (result, isTooBig) = operation(x, y)
            return isTooBig ? whenTooBig(x, y) : result
        }
        switch term {
        case .number(let number): return number
        case .variable(let name): return integers[name] ?? 0
        case .sum(let a, let b):
            return apply(a, b, { $0.addingReportingOverflow($1) }, whenTooBig: { x, _ in x > 0 ? .max : .min })
        case .difference(let a, let b):
            return apply(a, b, { $0.subtractingReportingOverflow($1) }, whenTooBig: { x, _ in x >= 0 ? .max : .min })
        case .product(let a, let b):
            return apply(a, b, { $0.multipliedReportingOverflow(by: $1) }, whenTooBig: { ($0 > 0) == ($1 > 0) ? .max : .min })
        case .quotient(let a, let b):
            let divisor = value(of: b, integers)
            return divisor == 0 ? 0 : apply(a, b, { $0.dividedReportingOverflow(by: $1) }, whenTooBig: { _, _ in .max })
        }
    }

    private struct Parser {
        var rest: Substring

        mutating func skipSpaces() { rest = rest.drop { $0 == " " } }

        private mutating func take(_ characters: String) -> Character? {
            skipSpaces()
            guard let first = rest.first, characters.contains(first) else { return nil }
            return rest.removeFirst()
        }

        mutating func sum(depth: Int) throws(Malformed) -> Term {
            var term = try product(depth: depth)
            while let sign = take("+-") {
                let next = try product(depth: depth)
                term = sign == "+" ? .sum(term, next) : .difference(term, next)
            }
            return term
        }

        private mutating func product(depth: Int) throws(Malformed) -> Term {
            var term = try atom(depth: depth)
            while let sign = take("*/") {
                let next = try atom(depth: depth)
                term = sign == "*" ? .product(term, next) : .quotient(term, next)
            }
            return term
        }

        private mutating func atom(depth: Int) throws(Malformed) -> Term {
            if take("(") != nil {
                guard depth < 16 else { throw Malformed("括号嵌套过多", "too many brackets") }
                let term = try sum(depth: depth + 1)
                guard take(")") != nil else { throw Malformed("括号没有闭合", "a bracket is not closed") }
                return term
            }
            skipSpaces()
            let word = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            rest = rest.dropFirst(word.count)
            guard let first = word.first else {
                throw rest.isEmpty ? Malformed("算式不完整", "it ends too early") : Malformed(unexpected: rest)
            }
            guard first.isNumber else { return .variable(String(word)) }
            guard let number = Int(word) else { throw Malformed("“\(word)”不是整数", "'\(word)' is no whole number") }
            return .number(number)
        }
    }
}

extension TokenFormula.Malformed {
    fileprivate init(_ zh: String, _ en: String) { self.init(problem: LocalizedText(zh: zh, en: en)) }

    fileprivate init(unexpected rest: Substring) { self.init("意外的“\(rest.prefix(12))”", "unexpected '\(rest.prefix(12))'") }
}
