using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks;

namespace Platform.Api.Tests.Files;

// Alone, because what other tests allocate meanwhile would be counted, too.
[CollectionDefinition(nameof(FileMemoryTests), DisableParallelization = true)]
[Collection(nameof(FileMemoryTests))]
public sealed class FileMemoryTests
{
    private const int MiB = 1024 * 1024;
    private const int Length = 32 * MiB;

    [Fact]
    public async Task Chunks_are_not_allocated_anew_for_each_upload_and_download()
    {
        await using var api = await TestApi.StartAsync();
        var store = api.Services.GetRequiredService<IFileStore>();
        var content = new byte[Length];
        await ReadAsync(store, await UploadAsync(store, content));

        var start = GC.GetTotalAllocatedBytes(precise: true);
        var file = await UploadAsync(store, content);
        var uploaded = GC.GetTotalAllocatedBytes(precise: true);
        await ReadAsync(store, file);
        var read = GC.GetTotalAllocatedBytes(precise: true);

        var (up, down) = ((double)(uploaded - start) / Length, (double)(read - uploaded) / Length);
        TestContext.Current.SendDiagnosticMessage($"Bytes allocated per byte: uploaded {up:0.000}, downloaded {down:0.000}");

        // MySqlConnector itself makes an array of each row that is longer than 16 KiB, which is 1; Npgsql copies into ours.
        up.ShouldBeLessThan(0.5);
        down.ShouldBeLessThan(1.5);
    }

    private static async Task<StoredFile> UploadAsync(IFileStore store, byte[] bytes)
    {
        using var content = new MemoryStream(bytes);
        return await store.UploadAsync("large.bin", "application/octet-stream", "", content, Length, CancellationToken.None);
    }

    private static async Task ReadAsync(IFileStore store, StoredFile file)
    {
        await using var content = store.OpenRead(file);
        var buffer = new byte[64 * 1024];
        var total = 0L;
        for (int count; (count = await content.ReadAsync(buffer)) > 0; )
        {
            total += count;
        }

        total.ShouldBe(Length);
    }
}
