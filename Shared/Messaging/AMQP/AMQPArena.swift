import CRabbitMQ

/// Memory that a call into librabbitmq needs for as long as the call lasts: copies of strings, tables. Emptied before the next call.
///
/// Swift lends a string's bytes for one call only, and the library takes structures full of pointers.
final class AMQPArena {
    private var pool = amqp_pool_t()

    init() { init_amqp_pool(&pool, 2_048) }

    deinit { empty_amqp_pool(&pool) }

    func reset() { recycle_amqp_pool(&pool) }

    func bytes(_ text: String) -> amqp_bytes_t {
        var text = text
        return text.withUTF8 { source in
            guard let base = source.baseAddress, !source.isEmpty, let memory = amqp_pool_alloc(&pool, source.count) else {
                return amqp_bytes_t(len: 0, bytes: nil)
            }
            memory.copyMemory(from: base, byteCount: source.count)
            return amqp_bytes_t(len: source.count, bytes: memory)
        }
    }

    func table(_ entries: [(String, AMQPValue)]) -> amqp_table_t {
        guard !entries.isEmpty,
            let memory = amqp_pool_alloc(&pool, entries.count * MemoryLayout<amqp_table_entry_t>.stride)
        else { return amqp_table_t(num_entries: 0, entries: nil) }
        let base = memory.bindMemory(to: amqp_table_entry_t.self, capacity: entries.count)
        for (index, (name, value)) in entries.enumerated() {
            (base + index).initialize(to: amqp_table_entry_t(key: bytes(name), value: field(value)))
        }
        return amqp_table_t(num_entries: Int32(entries.count), entries: base)
    }

    private func field(_ value: AMQPValue) -> amqp_field_value_t {
        var field = amqp_field_value_t()
        switch value {
        case .string(let text):
            field.kind = UInt8(AMQP_FIELD_KIND_UTF8.rawValue)
            field.value.bytes = bytes(text)
        case .int(let number):
            field.kind = UInt8(AMQP_FIELD_KIND_I64.rawValue)
            field.value.i64 = number
        case .bool(let flag):
            field.kind = UInt8(AMQP_FIELD_KIND_BOOLEAN.rawValue)
            field.value.boolean = flag ? 1 : 0
        case .table(let entries):
            field.kind = UInt8(AMQP_FIELD_KIND_TABLE.rawValue)
            field.value.table = table(entries)
        }
        return field
    }
}

enum AMQPValue {
    case string(String)
    case int(Int64)
    case bool(Bool)
    case table([(String, AMQPValue)])
}

extension amqp_table_t {
    /// The entries that are text or whole numbers, as text. Nested ones (`x-death`) are left out.
    var textEntries: [String: String] {
        var result: [String: String] = [:]
        for entry in UnsafeBufferPointer(start: entries, count: entries == nil ? 0 : Int(num_entries)) {
            let value = entry.value.value
            switch UInt32(entry.value.kind) {
            case UInt32(AMQP_FIELD_KIND_UTF8.rawValue), UInt32(AMQP_FIELD_KIND_BYTES.rawValue):
                result[entry.key.string] = value.bytes.string
            case UInt32(AMQP_FIELD_KIND_I64.rawValue): result[entry.key.string] = String(value.i64)
            case UInt32(AMQP_FIELD_KIND_I32.rawValue): result[entry.key.string] = String(value.i32)
            case UInt32(AMQP_FIELD_KIND_I16.rawValue): result[entry.key.string] = String(value.i16)
            case UInt32(AMQP_FIELD_KIND_I8.rawValue): result[entry.key.string] = String(value.i8)
            default: continue
            }
        }
        return result
    }
}
