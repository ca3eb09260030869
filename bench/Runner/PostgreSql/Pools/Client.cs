using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Platform.Support;

namespace Platform.Runner.Pools;

/// <summary>Acts as the clients of a web service, with the light request and the heavy one. All hostings have the same paths.</summary>
internal sealed class Client : IDisposable
{
    private const int Users = 10_000;

    private readonly HttpClient http;
    private int next;

    public Client(Uri address) =>
        http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = int.MaxValue })
        {
            BaseAddress = address,
            Timeout = Timeout.InfiniteTimeSpan,
        }.WithTestKey();

    /// <summary>The ids of the tasks that were answered with 202.</summary>
    public List<Guid> Accepted { get; } = [];

    /// <summary>GET /users/{id}</summary>
    public async Task<bool> LightAsync(CancellationToken cancellationToken)
    {
        var id = (Interlocked.Increment(ref next) * 7919 % Users) + 1;
        using var answer = await http.GetAsync(new Uri($"/users/{id}", UriKind.Relative), cancellationToken);
        await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        return answer.IsSuccessStatusCode;
    }

    /// <summary>POST /heavy-tasks</summary>
    public async Task<bool> HeavyAsync(CancellationToken cancellationToken)
    {
        using var content = new StringContent("""{"kind":"users.statistics"}""", Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri("/heavy-tasks", UriKind.Relative), content, cancellationToken);
        if (answer.StatusCode != HttpStatusCode.Accepted)
        {
            return false;
        }

        var body = await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
        lock (Accepted)
        {
            Accepted.Add(body.GetProperty("id").GetGuid());
        }

        return true;
    }

    /// <summary>The counts that a web service which hosts the work remembers.</summary>
    public async Task<WorkCounts> CountsAsync() => (await http.GetFromJsonAsync<WorkCounts>("/counts", JsonSerializerOptions.Web))!;

    /// <summary>Sends requests one after the other, so that code is compiled and connections are open before the measurement.</summary>
    public async Task WarmUpAsync(int light, int heavy)
    {
        for (var i = 0; i < light; i++)
        {
            await LightAsync(CancellationToken.None);
        }

        for (var i = 0; i < heavy; i++)
        {
            await HeavyAsync(CancellationToken.None);
        }

        await Task.WhenAll(Enumerable.Range(0, light).Select(_ => LightAsync(CancellationToken.None)));
    }

    public void Dispose() => http.Dispose();
}

internal sealed record WorkCounts(int Accepted, int Completed, int Failed, int Disposed, int Exhausted);
