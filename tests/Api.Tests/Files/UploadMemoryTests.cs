using System.Net;
using Platform.Support;

namespace Platform.Api.Tests.Files;

public sealed class UploadMemoryTests
{
    private const int MiB = 1024 * 1024;

    // The peak of the process as the system counts it also includes memory that was taken and given back.
    [Fact]
    public async Task Upload_five_times_as_long_needs_no_more_memory()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var api = await ApiProcess.StartAsync(database.ConnectionString);
        await UploadAsync(api, 60 * MiB);
        var after60 = PeakMemory(api.Process.Id);

        await UploadAsync(api, 300 * MiB);

        var after300 = PeakMemory(api.Process.Id);
        TestContext.Current.SendDiagnosticMessage(
            $"Peak memory after 60 MiB: {after60 / MiB} MiB, after 300 MiB more: {after300 / MiB} MiB"
        );
        (after300 - after60).ShouldBeLessThan(60 * MiB);
        after300.ShouldBeLessThan(300L * MiB);
    }

    private static async Task UploadAsync(ApiProcess api, int length)
    {
        using var content = new StreamContent(new RandomStream(length));
        using var response = await api.Client.PostAsync("/files?name=large.bin", content);
        (await response.ShouldBeJsonAsync(HttpStatusCode.Created)).GetProperty("length").GetInt64().ShouldBe(length);
    }

    private static long PeakMemory(int processId)
    {
        var line = File.ReadLines($"/proc/{processId}/status").Single(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line["VmHWM:".Length..].Replace("kB", "", StringComparison.Ordinal)) * 1024;
    }

    /// <summary>Bytes that do not compress, generated while they are read.</summary>
    private sealed class RandomStream(int length) : Stream
    {
        private readonly Random random = new(1);
        private int position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => position;
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            count = Math.Min(count, length - position);
            random.NextBytes(buffer.AsSpan(offset, count));
            position += count;
            return count;
        }

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
