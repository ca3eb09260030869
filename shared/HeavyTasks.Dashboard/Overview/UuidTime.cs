using System.Buffers.Binary;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>The time in an id of version 7: its first 48 bits are milliseconds since 1970 (RFC 9562, 5.7).</summary>
internal static class UuidTime
{
    /// <summary>The time at which the id was made (UTC).</summary>
    public static DateTime Of(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(bytes) >>> 16).UtcDateTime;
    }
}
