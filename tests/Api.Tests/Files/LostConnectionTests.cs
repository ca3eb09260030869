using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks;

namespace Platform.Api.Tests.Files;

public sealed class LostConnectionTests
{
    private const int Chunks = 4;

    [Fact]
    public async Task Uploads_and_downloads_go_on_when_the_server_ends_their_connections()
    {
        await using var api = await TestApi.StartAsync();
        var store = api.Services.GetRequiredService<IFileStore>();
        var bytes = RandomNumberGenerator.GetBytes(Chunks * StoredFile.ChunkLength);
        await using var content = new InterruptedStream(new MemoryStream(bytes), () => api.Database.EndConnectionsAsync("platform-api"));

        var file = await store.UploadAsync("a", "text/plain", "", content, bytes.Length, CancellationToken.None);

        content.Interruptions.ShouldBeGreaterThanOrEqualTo(Chunks);
        await using var download = store.OpenRead(file);
        var read = new byte[bytes.Length];
        for (var offset = 0; offset < read.Length; offset += StoredFile.ChunkLength)
        {
            await api.Database.EndConnectionsAsync("platform-api");
            await download.ReadExactlyAsync(read.AsMemory(offset, StoredFile.ChunkLength));
        }

        read.ShouldBe(bytes);
    }

    /// <summary>Does something before each chunk is read.</summary>
    private sealed class InterruptedStream(MemoryStream inner, Func<Task> interrupt) : Stream
    {
        public int Interruptions { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => inner.Position;
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Interruptions++;
            await interrupt();
            return await inner.ReadAsync(buffer, cancellationToken);
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
