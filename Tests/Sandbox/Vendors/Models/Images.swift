import Cryptography

/// `POST /images/generations` as OpenAI has it, and the addresses that its pictures are fetched from. A picture is a function of the seed
/// and the prompt; its address says everything about it, so nothing is kept.
enum Images {
    /// What the address of a picture begins with; below the vendor's own base.
    static let folder = "/openai/pictures/"

    static func answer(_ json: JSON, host: String, seed: UInt64, rule: FaultRule?) -> Answer {
        guard let model = json["model"]?.string else {
            return ErrorAnswers.invalid("you must provide a model parameter", param: "model")
        }
        let families = ["gpt-image-", "dall-e-", "sandbox-", "fault:"]
        guard families.contains(where: { model.hasPrefix($0) }) else {
            return ErrorAnswers.invalid(
                "The model '\(model)' does not exist.", param: "model", code: "model_not_found", status: 404)
        }
        guard let prompt = json["prompt"]?.string, (1...32_000).contains(prompt.count) else {
            return ErrorAnswers.invalid("Missing required parameter: 'prompt'.", param: "prompt")
        }
        let count = json["n"]?.int ?? 1
        guard (1...10).contains(count) else { return ErrorAnswers.invalid("'n' must be between 1 and 10.", param: "n") }
        guard let size = size(json["size"]?.string ?? "1024x1024") else {
            return ErrorAnswers.invalid("Invalid value for 'size'.", param: "size")
        }
        let isAlwaysInline = model.hasPrefix("gpt-image-")
        if isAlwaysInline, json["response_format"] != nil {
            return ErrorAnswers.invalid(
                "Unknown parameter: 'response_format'.", param: "response_format", code: "unknown_parameter")
        }
        let isInline = isAlwaysInline || json["response_format"]?.string == "b64_json"
        let fault = rule?.fault
        let pictures = (0..<(fault == .pictureMissing ? 0 : count)).map { index -> JSON in
            var generator = SeededGenerator(seed: seed, Array("\(index) \(prompt)".utf8))
            let name = "\(size.width)x\(size.height)-\(generator.hex(16))"
            if isInline {
                let bytes = picture(named: name, kind: kind(fault), parameters: rule?.parameters) ?? []
                return .make(["b64_json": .string(Base64.encode(bytes))])
            }
            let elsewhere = rule?.parameters.string("url")
            let url =
                fault == .pictureElsewhere
                ? elsewhere ?? "http://169.254.169.254/latest/meta-data/" : "http://\(host)\(folder)\(kind(fault))/\(name).png"
            return .make(["url": .string(url), "revised_prompt": .string(prompt)])
        }
        return Answer(
            status: 200,
            json: .make([
                "created": .int(1_790_000_000), "data": .array(pictures),
                "usage": .make(["input_tokens": .int(tokenCount(bytes: prompt.utf8.count)), "output_tokens": .int(1_056 * count)]
                ),
            ]))
    }

    /// `GET /openai/pictures/<kind>/<name>.png`, without a key, as signed addresses are.
    static func file(_ path: Substring, parameters: FaultParameters) -> Answer {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].hasSuffix(".png") else { return ErrorAnswers.invalid("no such file", status: 404) }
        let name = String(parts[1].dropLast(4))
        if parts[0] == "moved" {
            let target = parameters.string("location") ?? "http://169.254.169.254/latest/meta-data/"
            return Answer(status: 302, headers: [("Location", target)], contentType: "text/plain", body: [])
        }
        guard let bytes = picture(named: name, kind: String(parts[0]), parameters: parameters) else {
            return ErrorAnswers.invalid("the picture has expired", status: 404)
        }
        return Answer(status: 200, contentType: "image/png", body: bytes)
    }

    /// How a picture's address says what is wrong with it.
    private static func kind(_ fault: Fault?) -> String {
        switch fault {
        case .pictureGone: "gone"
        case .pictureHuge: "huge"
        case .pictureWrongBytes: "wrong"
        case .pictureRedirect: "moved"
        default: "whole"
        }
    }

    private static func picture(named name: String, kind: String, parameters: FaultParameters?) -> [UInt8]? {
        let parts = name.split(separator: "-")
        guard parts.count == 2, let size = size(String(parts[0])), let number = UInt64(parts[1], radix: 16) else { return nil }
        switch kind {
        case "gone": return nil
        case "wrong": return Array("<html><body>not a picture</body></html>".utf8)
        default:
            func colour(_ shift: UInt64) -> PNG.Colour {
                (UInt8(number >> shift & 255), UInt8(number >> (shift + 8) & 255), UInt8(number >> (shift + 16) & 255))
            }
            let whole = PNG.gradient(
                width: max(1, size.width / 32), height: max(1, size.height / 32), from: colour(0), to: colour(32))
            guard kind == "huge" else { return whole }
            return whole + [UInt8](repeating: 0, count: max(0, (parameters?.int("bytes") ?? 9 << 20) - whole.count))
        }
    }

    private static func size(_ text: String) -> (width: Int, height: Int)? {
        let sides = text.split(separator: "x").compactMap { Int($0) }
        guard sides.count == 2, sides.allSatisfy({ (64...4_096).contains($0) }) else { return nil }
        return (sides[0], sides[1])
    }
}

/// `/openai/pictures/…`: where the pictures of ``Images`` lie.
struct PictureFiles: Vendor {
    let control: ControlPlane

    func localPath(of path: String) -> String? {
        path.hasPrefix(Images.folder) ? String(path.dropFirst(Images.folder.count)) : nil
    }

    func answer(_ exchange: inout Exchange, path: String) throws {
        let request = exchange.request
        let profile = Dialect.openAI.rawValue
        let (number, _) = control.begin(request, profile: profile)
        var outcome = Attempt.Outcome(result: "200", fault: nil, clientClosedEarly: false)
        defer { control.end(number, profile: profile, outcome: outcome) }
        let rule = control.rule(for: request, profile: profile, model: nil)?.rule
        let parameters = rule?.parameters ?? FaultParameters(.null)
        outcome.fault = rule?.fault
        let plan: WirePlan
        switch rule?.fault {
        case .resetBeforeHeaders?: plan = WirePlan(steps: [], ending: .reset)
        case .neverAnswer?: plan = WirePlan(steps: [], ending: .hold)
        case let fault:
            let refusal = fault.flatMap { ErrorAnswers.answer(for: $0, parameters: parameters) }
            let answer = refusal ?? Images.file(path[...], parameters: parameters)
            outcome.result = "\(answer.status)"
            plan = BodyWriter(answer: answer, fault: fault, parameters: parameters).plan()
        }
        do {
            try exchange.play(plan)
        } catch {
            outcome.clientClosedEarly = true
            throw error
        }
    }
}
