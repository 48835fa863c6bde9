import Glibc

struct UnreadableFile: Error {
    let reason: String
}

/// Reads a settings file whole, without its last line break. Files over 64 kB are refused: they are no settings.
func readSmallFile(_ path: String) -> Result<String, UnreadableFile> {
    let limit = 64 * 1024
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return .failure(lastError()) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = read(descriptor, &chunk, chunk.count)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { return .failure(lastError()) }
        if count == 0 { break }
        bytes += chunk[..<count]
        guard bytes.count <= limit else { return .failure(UnreadableFile(reason: "it is larger than 64 kB")) }
    }
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        return .failure(UnreadableFile(reason: "it is not UTF-8"))
    }
    return .success(text)
}

private func lastError() -> UnreadableFile { UnreadableFile(reason: String(cString: strerror(errno))) }
