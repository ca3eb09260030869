namespace Platform.Api.Tests;

/// <summary>One API with default settings for all tests of a class.</summary>
public sealed class ApiFixture : IAsyncLifetime
{
    internal TestApi Api { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Api = await TestApi.StartAsync();

    public ValueTask DisposeAsync() => Api.DisposeAsync();
}
