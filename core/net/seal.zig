// AES-256-GCM over the records of a sealed link (protocol-wasm/handshake/sealed_stream.ts), by the
// instructions that processors have for it. The cryptography is the standard library's. Built by
// scripts/build_seal.ts, called by seal.ts.

const std = @import("std");
const Aes = std.crypto.aead.aes_gcm.Aes256Gcm;

const header = 4;

/// Writes the record of `text[0..length]` to `into`: its length, the encrypted text, the tag.
export fn seal_record(into: [*]u8, text: [*]const u8, length: u32, key: *const [Aes.key_length]u8, number: u32) void {
    std.mem.writeInt(u32, into[0..header], length, .little);
    const tag: *[Aes.tag_length]u8 = into[header + length ..][0..Aes.tag_length];
    Aes.encrypt(into[header..][0..length], tag, text[0..length], into[0..header], nonce(number), key.*);
}

/// Writes the text of a whole record of `length` bytes of text to `into`. 0: it was changed, and nothing was written.
export fn open_record(into: [*]u8, record: [*]const u8, length: u32, key: *const [Aes.key_length]u8, number: u32) u32 {
    const tag = record[header + length ..][0..Aes.tag_length].*;
    const text = record[header..][0..length];
    Aes.decrypt(into[0..length], text, tag, record[0..header], nonce(number), key.*) catch return 0;
    return 1;
}

fn nonce(number: u32) [Aes.nonce_length]u8 {
    var bytes = [_]u8{0} ** Aes.nonce_length;
    std.mem.writeInt(u32, bytes[0..4], number, .little);
    return bytes;
}
