using Platform.Support;

namespace Platform.Api.Tests;

/// <summary>Tests the means that other tests rely on.</summary>
public sealed class ServiceProcessTests
{
    [Fact]
    public async Task A_crash_that_a_test_did_not_notice_fails_it()
    {
        var process = ServiceProcess.Start("services/Api", ApiProcess.Environment(connectionString: null, "http://127.0.0.1:0"));
        await Eventually.Async(() => Task.FromResult(process.HasExited), TimeSpan.FromSeconds(60), "the service refuses to start");

        (await Should.ThrowAsync<InvalidOperationException>(async () => await process.DisposeAsync())).Message.ShouldContain("is not set");
    }
}
