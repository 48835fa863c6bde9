import DTO
import FoundationEssentials
import HTTPCore

/// The prompt repository as tenants work with it (seed 001 §5.2): versions are added and never change; labels lead to one of them and can be
/// moved, with a history; what ships with the service is version 0 of its name.
struct Prompts: Sendable {
    /// Who changes something.
    struct Author: Sendable {
        let tenantId: UUID
        let subject: String
        /// The same one again is a repeat, which finds what was done.
        let operationId: UUID
    }

    /// What a label must be before it is moved; both absent: nobody has moved it yet.
    struct Expectation: Sendable {
        /// Its `ETag`s, any of which will do.
        var revisions: [Int]?
        var version: Int?
    }

    let repository: PromptRepository
    let store: PromptStore

    private var shipped: [String: PromptVersion] { repository.shipped }

    // MARK: Reading

    /// In the order of their names.
    func list(after name: String?, limit: Int, of tenantId: UUID) async throws -> [PromptSummary] {
        let names = Set(shipped.keys).union(try await store.names(of: tenantId))
        let page = Array(names.filter { candidate in name.map { candidate > $0 } ?? true }.sorted().prefix(limit))
        let own = try await store.newest(of: page, tenantId: tenantId)
        let labels = try await store.labels(of: page, tenantId: tenantId)
        return page.compactMap { name in
            let newest = own[name]
            guard
                let definition = shipped[name]?.definition
                    ?? newest.flatMap({ PromptVersion(name, $0.number, text: $0.text, standingInFor: nil)?.definition })
            else { return nil }
            return PromptSummary(
                name: name, scene: definition.scene, language: definition.language, description: definition.description,
                isShipped: shipped[name] != nil, latestVersion: newest?.number ?? 0,
                labels: withProduction(labels[name] ?? [], of: name))
        }
    }

    /// - Throws: `NotFound` where neither the tenant nor the service has one of this name.
    func prompt(_ name: String, of tenantId: UUID) async throws -> PromptDetail {
        let versions = try await store.versions(of: name, before: nil, limit: 20, tenantId: tenantId)
        guard shipped[name] != nil || !versions.isEmpty else { throw NotFound() }
        let labels = try await store.labels(of: [name], tenantId: tenantId)[name] ?? []
        return PromptDetail(
            name: name, shipped: shipped[name].map { PromptVersionView($0) }, versions: versions,
            labels: withProduction(labels, of: name),
            runningExperiment: try await store.runningExperiment(of: name, tenantId: tenantId))
    }

    /// Newest first.
    func versions(
        of name: String, before: Int?, limit: Int, tenantId: UUID
    ) async throws -> [PromptVersionSummary] {
        let versions = try await store.versions(of: name, before: before, limit: limit, tenantId: tenantId)
        if versions.isEmpty, before == nil, shipped[name] == nil { throw NotFound() }
        return versions
    }

    func version(_ number: Int, of name: String, tenantId: UUID) async throws -> PromptVersionView {
        if number == 0, let version = shipped[name] { return PromptVersionView(version) }
        guard let kept = try await store.version(number, of: name, tenantId: tenantId), let view = view(kept, of: name) else {
            throw NotFound()
        }
        return view
    }

    func diff(_ name: String, from: Int, to: Int, tenantId: UUID) async throws -> PromptDiff {
        let old = try await version(from, of: name, tenantId: tenantId)
        let new = try await version(to, of: name, tenantId: tenantId)
        return PromptDiff(LineDiff(from: old.text, to: new.text), from: from, to: to)
    }

    /// What a model would be sent.
    ///
    /// - Throws: `PromptVariableError`, or `NotFound`.
    func preview(
        _ number: Int, of name: String, values: [String: JSONValue], tenantId: UUID
    ) async throws -> PromptPreview {
        if number == 0, let version = shipped[name] {
            return PromptPreview(try version.render(values), of: version, missing: version.holes(values))
        }
        guard let kept = try await store.version(number, of: name, tenantId: tenantId),
            let version = PromptVersion(name, number, text: kept.text, standingInFor: shipped[name])
        else { throw NotFound() }
        return PromptPreview(try version.render(values), of: version, missing: version.holes(values))
    }

    // MARK: Versions

    /// Adds a version. Nothing uses it before a label or an experiment leads to it.
    ///
    /// - Throws: ``PromptContractBroken`` where the flow that renders this name could not use it.
    func add(
        _ definition: PromptDefinition, note: String, to name: String, by author: Author
    ) async throws -> PromptVersionView {
        if let shipped = shipped[name] {
            let breaches = PromptContract.breaches(of: definition, against: shipped.definition)
            guard breaches.isEmpty else { throw PromptContractBroken(issues: breaches) }
        }
        let kept = try await store.add(PromptFile.text(of: definition), note: note, to: name, by: author)
        guard let view = view(kept, of: name) else { throw InternalFailure() }
        return view
    }

    private func view(_ kept: PromptStore.Version, of name: String) -> PromptVersionView? {
        guard let version = PromptVersion(name, kept.number, text: kept.text, standingInFor: shipped[name]) else { return nil }
        return PromptVersionView(version, kept, usable: version.breaches(of: shipped[name]).isEmpty)
    }

    // MARK: Labels

    /// - Throws: `NotFound` for a label that leads nowhere.
    func label(_ label: String, of name: String, tenantId: UUID) async throws -> PromptLabel {
        let labels = try await store.labels(of: [name], tenantId: tenantId)[name] ?? []
        guard let found = withProduction(labels, of: name).first(where: { $0.label == label }) else { throw NotFound() }
        return found
    }

    /// - Throws: ``PromptsError``; `NotFound` for an unknown prompt.
    func move(
        _ label: String, of name: String, to version: Int, expecting expectation: Expectation, by author: Author
    ) async throws -> PromptLabel {
        if version == 0, shipped[name] == nil { throw PromptsError.unknownVersion }
        if shipped[name] == nil, try await store.versions(of: name, before: nil, limit: 1, tenantId: author.tenantId).isEmpty {
            throw NotFound()
        }
        return try await changed(
            by: author, try await store.move(.to(version), label, of: name, expecting: expectation, by: author))
    }

    /// Back to what `production` was before its last move; once more, to what it was before that.
    func rollBack(_ name: String, expecting expectation: Expectation, by author: Author) async throws -> PromptLabel {
        if shipped[name] == nil, try await store.versions(of: name, before: nil, limit: 1, tenantId: author.tenantId).isEmpty {
            throw NotFound()
        }
        return try await changed(
            by: author,
            try await store.move(
                .back(base: shipped[name] == nil ? nil : 0), PromptRepository.productionLabel, of: name, expecting: expectation,
                by: author))
    }

    /// - Throws: `NotFound` for a label that leads nowhere; ``PromptsError/labelProtected`` for `production`.
    func remove(_ label: String, of name: String, expecting expectation: Expectation, by author: Author) async throws {
        guard label != PromptRepository.productionLabel else {
            _ = try await self.label(label, of: name, tenantId: author.tenantId)
            throw PromptsError.labelProtected
        }
        _ = try await changed(
            by: author, try await store.move(.away, label, of: name, expecting: expectation, by: author))
    }

    /// Newest first.
    func history(
        of label: String, _ name: String, before: Int?, limit: Int, tenantId: UUID
    ) async throws -> [PromptLabelMove] {
        let moves = try await store.moves(of: label, name, before: before, limit: limit, tenantId: tenantId)
        // A label that nobody has moved has a history as well: an empty one.
        if moves.isEmpty, before == nil { _ = try await self.label(label, of: name, tenantId: tenantId) }
        return moves
    }

    private func changed(by author: Author, _ change: (label: PromptLabel, revision: Int64)) async throws -> PromptLabel {
        repository.note(change.revision, of: author.tenantId)
        return change.label
    }

    /// `production` leads to what ships with the service until somebody moves it.
    private func withProduction(_ labels: [PromptLabel], of name: String) -> [PromptLabel] {
        guard shipped[name] != nil, !labels.contains(where: { $0.label == PromptRepository.productionLabel }) else {
            return labels
        }
        return ([PromptLabel(label: PromptRepository.productionLabel, version: 0, revision: 0)] + labels)
            .sorted { $0.label < $1.label }
    }
}

/// A version that the flow could not render or whose answers it could not read.
struct PromptContractBroken: Error {
    let issues: [FieldIssue]
}

enum PromptsError: HTTPFailure, Equatable {
    /// The label leads elsewhere than the caller believes.
    case labelMoved
    /// The label was moved before, and the caller does not say from where.
    case expectationMissing
    case unknownVersion
    case nothingBefore
    case labelProtected
    case tooManyPrompts(limit: Int)
    case tooManyLabels(limit: Int)

    var problem: ProblemDescription {
        switch self {
        case .labelMoved: PreconditionFailed(code: "prompts.label_moved").problem
        case .expectationMissing:
            ProblemDescription(
                status: .preconditionRequired, code: "prompts.expectation_required",
                title: LocalizedText(
                    zh: "请用 If-Match 或 expectedVersion 说明标签现在的位置",
                    en: "Say by If-Match or expectedVersion where the label stands now"))
        case .unknownVersion:
            ValidationFailure(pointer: "/version", code: "unknown_version", zh: "没有这个版本", en: "there is no such version").problem
        case .nothingBefore:
            Conflict(
                code: "prompts.nothing_before",
                title: LocalizedText(zh: "production 之前没有别的版本", en: "production was nothing else before")
            ).problem
        case .labelProtected:
            Conflict(
                code: "prompts.label_protected",
                title: LocalizedText(zh: "production 不能删除，可移到版本 0", en: "production cannot be deleted; move it to version 0")
            ).problem
        case .tooManyPrompts(let limit):
            Conflict(
                code: "prompts.too_many",
                title: LocalizedText(zh: "最多 \(limit) 个提示词", en: "There may be at most \(limit) prompts")
            ).problem
        case .tooManyLabels(let limit):
            Conflict(
                code: "prompts.too_many_labels",
                title: LocalizedText(zh: "每个提示词最多 \(limit) 个标签", en: "A prompt may have at most \(limit) labels")
            ).problem
        }
    }
}
