import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore

/// The input rules of the catalogue's routes.
enum CatalogueInput {
    static func provider(_ json: JSONValue, name: String) throws -> (setting: ModelProviderSetting, dialect: ChatProfile.Vendor) {
        var fields = FieldReader(json)
        let dialect = fields.choice("dialect", of: ChatProfile.Vendor.self)
        var url = fields.text("baseUrl", length: 1...500)
        let key = fields.optionalText("key", length: 1...500)
        let enabled = fields.bool("enabled", default: true)
        if !url.isEmpty, !isWebAddress(url) {
            fields.refuse("baseUrl", code: "not_a_url", zh: "应为 http 或 https 地址", en: "must be an http or https address")
        }
        if let key, key.unicodeScalars.contains(where: { !(0x21...0x7E).contains($0.value) }) {
            fields.refuse("key", code: "not_ascii", zh: "应为可见 ASCII 字符", en: "must be visible ASCII characters")
        }
        try fields.finish()
        while url.hasSuffix("/") { url.removeLast() }
        let vendor = dialect ?? .openai
        return (ModelProviderSetting(dialect: vendor.rawValue, baseUrl: url, key: key, enabled: enabled), vendor)
    }

    /// Host and port with an optional path; no user, query or fragment.
    private static func isWebAddress(_ text: String) -> Bool {
        guard let scheme = ["http://", "https://"].first(where: text.hasPrefix) else { return false }
        let rest = text.dropFirst(scheme.count)
        let allowed = rest.unicodeScalars.allSatisfy {
            (0x21...0x7E).contains($0.value) && !"@?#\\\"<>".unicodeScalars.contains($0)
        }
        return allowed && rest.first.map { $0.isLetter || $0.isNumber || $0 == "[" } == true
    }

    static func key(_ json: JSONValue) throws -> String {
        var fields = FieldReader(json)
        let key = fields.text("key", length: 1...500)
        if key.unicodeScalars.contains(where: { !(0x21...0x7E).contains($0.value) }) {
            fields.refuse("key", code: "not_ascii", zh: "应为可见 ASCII 字符", en: "must be visible ASCII characters")
        }
        try fields.finish()
        return key
    }

    /// - Parameter provider: one that the catalogue has heard of, callable or not.
    static func model(
        _ json: JSONValue, name: String, of provider: String, in catalogue: ModelCatalogue
    ) throws -> CatalogueChanges.Model {
        guard catalogue.heardOf.contains(provider) else {
            throw ValidationFailure(
                pointer: "", code: "unknown_provider", zh: "没有名为“\(provider)”的供应商，请先添加",
                en: "there is no provider \(provider); add it first")
        }
        var fields = FieldReader(json)
        let words = fields.textList("capabilities", maxItems: ModelCapability.allCases.count, length: 1...40)
        let capabilities = choices(words, of: ModelCapability.self, "capabilities", &fields)
        let contextTokens = fields.integer("contextTokens", in: 1...100_000_000)
        let dimensions = fields.optionalInteger("dimensions", in: 1...100_000)
        let enabled = fields.bool("enabled", default: true)
        try fields.finish()
        return CatalogueChanges.Model(
            model: .init(
                provider: provider, name: name, capabilities: capabilities, contextTokens: contextTokens, dimensions: dimensions),
            isEnabled: enabled)
    }

    static func alias(_ json: JSONValue, in catalogue: ModelCatalogue) throws -> ModelCatalogue.Alias {
        var fields = FieldReader(json)
        let name = fields.name("name", length: 1...64)
        let provider = fields.text("provider", length: 1...64)
        let model = fields.text("model", length: 1...64)
        let validFrom = fields.optionalDate("validFrom")
        let validUntil = fields.optionalDate("validUntil")
        let thinks = fields.bool("thinks", default: false)
        requireModel(model, of: provider, in: catalogue, &fields)
        if name.lowercased() == ModelNames.auto {
            fields.refuse("name", code: "reserved", zh: "auto 是保留名称", en: "auto is a reserved name")
        }
        if fields.issues.allSatisfy({ $0.pointer != "/name" }), name.contains(where: \.isWhitespace) {
            fields.refuse("name", code: "malformed", zh: "不能含有空白", en: "must not hold blanks")
        }
        if let validUntil, validUntil <= validFrom ?? .distantPast {
            fields.refuse("validUntil", code: "before_start", zh: "应晚于 validFrom", en: "must be after validFrom")
        }
        requireDate(validFrom, "validFrom", &fields)
        if thinks, let target = catalogue.model(model, of: provider), !target.capabilities.contains(.thinking) {
            fields.refuse(
                "thinks", code: "unsupported_by_model", zh: "模型 \(target.fullName) 不会思考",
                en: "the model \(target.fullName) does not think")
        }
        try fields.finish()
        return .init(
            name: name.lowercased(), provider: provider, model: model, validFrom: validFrom ?? Date(),
            validUntil: validUntil, thinks: thinks)
    }

    /// Of a prompt in characters, or of what is asked for in tokens.
    private static let lengths = 0...10_000_000

    /// 1–20 routes to models that the tenant can call.
    static func policy(_ json: JSONValue, in catalogue: ModelCatalogue) throws -> [RouteSetting] {
        var fields = FieldReader(json)
        let routes = fields.objectList("routes", minItems: 1, maxItems: 20) { route in
            let provider = route.text("provider", length: 1...64)
            let model = route.text("model", length: 1...64)
            requireModel(model, of: provider, in: catalogue, &route)
            let languages = languages(&route)
            let tasks = route.textList("tasks", maxItems: AITask.allCases.count, length: 1...40)
            let needs = route.textList("needs", maxItems: ModelCapability.allCases.count, length: 1...40)
            _ = choices(tasks, of: AITask.self, "tasks", &route)
            _ = choices(needs, of: ModelCapability.self, "needs", &route)
            if let known = catalogue.model(model, of: provider) {
                if catalogue.provider(provider) == nil {
                    route.refuse(
                        "provider", code: "unknown_provider", zh: "供应商“\(provider)”未配置或已停用",
                        en: "the provider \(provider) is not configured, or disabled")
                }
                requireUses(tasks, needs, of: known, &route)
            }
            let (minLength, maxLength) = (
                route.optionalInteger("minLength", in: lengths), route.optionalInteger("maxLength", in: lengths)
            )
            if let minLength, let maxLength, maxLength < minLength {
                route.refuse("maxLength", code: "below_minimum", zh: "不应小于 minLength", en: "must not be less than minLength")
            }
            let usual = RouteTimeouts.standard
            return RouteSetting(
                provider: provider, model: model, rank: route.integer("rank", in: 0...1_000, default: 0),
                weight: route.integer("weight", in: 0...1_000, default: 1), languages: languages.isEmpty ? nil : languages,
                tasks: tasks.isEmpty ? nil : tasks, needs: needs.isEmpty ? nil : needs,
                minLength: minLength, maxLength: maxLength,
                concurrency: route.integer("concurrency", in: 1...10_000, default: 64),
                connectTimeoutMs: route.integer("connectTimeoutMs", in: 10...60_000, default: Int(usual.connect.milliseconds)),
                firstTokenTimeoutMs: route.integer(
                    "firstTokenTimeoutMs", in: 10...600_000, default: Int(usual.firstToken.milliseconds)),
                idleTimeoutMs: route.integer("idleTimeoutMs", in: 10...600_000, default: Int(usual.idle.milliseconds)),
                totalTimeoutMs: route.integer("totalTimeoutMs", in: 10...600_000, default: Int(usual.total.milliseconds)))
        }
        requireDifferent(routes, &fields)
        try fields.finish()
        return routes
    }

    /// BCP 47, each once whatever its letters' case.
    private static func languages(_ route: inout FieldReader) -> [String] {
        let refused = route.issues.count
        let languages = route.textList("languages", maxItems: 20, length: 1...35)
        // Items of the wrong type are refused and left out: the places of those behind them are others.
        guard route.issues.count == refused else { return languages }
        for (index, language) in languages.enumerated() {
            if !LanguageTag.isWellFormed(language) {
                route.refuse(
                    "languages", item: index, code: "malformed", zh: "应为语言标签，如 zh、en-US",
                    en: "must be a language tag such as zh or en-US")
            } else if languages[..<index].contains(where: { $0.lowercased() == language.lowercased() }) {
                route.refuse("languages", item: index, code: "repeated", zh: "与前面的重复", en: "repeats an earlier one")
            }
        }
        return languages
    }

    /// No call asks a model for what it cannot do: such a condition would never hold.
    private static func requireUses(
        _ tasks: [String], _ needs: [String], of model: ModelCatalogue.Model, _ route: inout FieldReader
    ) {
        let makesVectors = model.capabilities.contains(.embeddings)
        for (index, task) in tasks.enumerated() where AITask(rawValue: task).map({ ($0 == .embed) != makesVectors }) == true {
            route.refuse(
                "tasks", item: index, code: "unsupported_by_model", zh: "模型 \(model.fullName) 不能完成任务 \(task)",
                en: "the model \(model.fullName) does not do the task \(task)")
        }
        for (index, word) in needs.enumerated() {
            guard let need = ModelCapability(rawValue: word), need.isIndispensable, !model.capabilities.contains(need) else {
                continue
            }
            route.refuse(
                "needs", item: index, code: "unsupported_by_model", zh: "模型 \(model.fullName) 没有能力 \(word)",
                en: "the model \(model.fullName) lacks the capability \(word)")
        }
    }

    /// A model is asked once for a call: of two routes to it that hold for the same calls the later one would never be taken.
    private static func requireDifferent(_ routes: [RouteSetting], _ fields: inout FieldReader) {
        func condition(_ route: RouteSetting) -> RouteSetting {
            RouteSetting(
                provider: route.provider, model: route.model,
                languages: Set((route.languages ?? []).map { $0.lowercased() }).sorted(),
                tasks: Set(route.tasks ?? []).sorted(), needs: Set(route.needs ?? []).sorted(), minLength: route.minLength,
                maxLength: route.maxLength)
        }
        for (index, route) in routes.enumerated()
        where !route.model.isEmpty && routes[..<index].contains(where: { condition($0) == condition(route) }) {
            fields.refuse(
                "routes", item: index, code: "duplicate", zh: "同一模型、同一条件的路由已经有了",
                en: "is a route to the same model on the same condition as an earlier one")
        }
    }

    // MARK: Parts

    private static func choices<Choice: RawRepresentable<String> & Hashable & CaseIterable>(
        _ words: [String], of type: Choice.Type, _ name: String, _ fields: inout FieldReader
    ) -> Set<Choice> {
        let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        for (index, word) in words.enumerated() where Choice(rawValue: word) == nil {
            fields.refuse(name, item: index, code: "unknown_value", zh: "应为以下之一：\(known)", en: "must be one of \(known)")
        }
        return Set(words.compactMap(Choice.init))
    }

    static func requireModel(
        _ model: String, of provider: String, in catalogue: ModelCatalogue, _ fields: inout FieldReader
    ) {
        guard !model.isEmpty, !provider.isEmpty, catalogue.model(model, of: provider) == nil else { return }
        fields.refuse(
            "model", code: "unknown_model", zh: "没有名为“\(provider)/\(model)”的模型", en: "there is no model \(provider)/\(model)")
    }

    static func requireDate(_ date: Date?, _ name: String, _ fields: inout FieldReader) {
        guard date == nil, !fields.issues.contains(where: { $0.pointer == "/\(name)" }) else { return }
        fields.refuse(name, code: "required", zh: "必填", en: "is required")
    }
}
