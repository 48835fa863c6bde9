import HTTPCore

/// The prompts that ship with the service; the texts stand in `Shipped/`, one file each.
enum ShippedPrompts {
    /// The text of each, in the form of ``PromptFile``. A new prompt is added here.
    static let texts: [String] = [title, copy, imageText, videoScript, rewrite] + generation

    /// All of them, read. Their tests read them too: a broken one never gets into a release.
    static let all: [String: PromptVersion] = {
        do { return try load(texts) } catch { preconditionFailure("a shipped prompt is broken: \(error)") }
    }()

    struct Broken: Error, CustomStringConvertible {
        let name: String
        let problems: [String]
        var description: String { "\(name): \(problems.joined(separator: "; "))" }
    }

    /// - Throws: ``Broken`` with every problem of the first one that has any.
    static func load(_ texts: [String]) throws -> [String: PromptVersion] {
        var versions: [String: PromptVersion] = [:]
        for text in texts {
            let version = try version(text)
            guard versions.updateValue(version, forKey: version.name) == nil else {
                throw Broken(name: version.name, problems: ["the name is taken"])
            }
        }
        return versions
    }

    private static func version(_ text: String) throws -> PromptVersion {
        let file: PromptFile
        do { file = try PromptFile(parsing: text) } catch { throw Broken(name: String(text.prefix(40)), problems: ["\(error)"]) }
        let issues = PromptCheck.issues(in: file.definition)
        guard issues.isEmpty else {
            throw Broken(name: file.name, problems: issues.map { "\($0.pointer) \($0.code): \($0.message.en)" })
        }
        return try PromptVersion(name: file.name, number: 0, revision: file.revision, definition: file.definition)
    }
}
