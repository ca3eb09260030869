using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Platform.Cli.Api;

/// <summary>
/// Calls the API over HTTP. Every method throws <see cref="ApiRefusedException"/> for 4xx, <see cref="ApiUnavailableException"/> when there
/// is no usable answer, and <see cref="OperationCanceledException"/> only when its caller cancelled. The key goes to the address and nowhere
/// else: no redirect is followed, and no request has an address of its own.
/// </summary>
internal sealed class PlatformClient : IDisposable
{
    /// <summary>The longest JSON answer: far longer than the largest page of tasks, but a wrong address cannot fill the memory.</summary>
    private const int MaxJsonLength = 64 * 1024 * 1024;

    /// <summary>An answer that lacks what it must have, or has null there, is not the API's.</summary>
    private static readonly JsonSerializerOptions json = new(JsonSerializerDefaults.Web)
    {
        RespectNullableAnnotations = true,
        Converters = { new ListConverter() },
    };

    private readonly HttpClient http;
    private readonly HttpTimeouts timeouts;
    private readonly TimeProvider clock;
    private readonly ApiErrors errors;

    /// <param name="address">An absolute http or https address; a path in it is kept as a prefix.</param>
    /// <param name="key">The key to send with every request; null for none.</param>
    /// <param name="timeouts">How long to wait.</param>
    /// <param name="clock">Measures <see cref="HttpTimeouts.Response"/> and <see cref="HttpTimeouts.Idle"/>.</param>
    public PlatformClient(Uri address, string? key, HttpTimeouts timeouts, TimeProvider clock)
    {
        this.timeouts = timeouts;
        this.clock = clock;
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = timeouts.Connect,
            AllowAutoRedirect = false,
            UseCookies = false,
            // A proxy for the outside world cannot reach this machine's loopback.
            UseProxy = !address.IsLoopback,
        };
        http = new HttpClient(handler)
        {
            BaseAddress = new Uri(address.GetLeftPart(UriPartial.Path).TrimEnd('/') + "/"),
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestHeaders = { Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key) },
        };
        errors = new ApiErrors(
            address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped).TrimEnd('/')
        );
    }

    /// <summary>Uploads a file, reads it only as fast as the API takes it, and checks that the API stored the same bytes.</summary>
    /// <param name="source">The file's bytes.</param>
    /// <param name="name">The name to store.</param>
    /// <param name="contentType">The media type to store.</param>
    /// <param name="sent">Called with the number of bytes sent so far.</param>
    /// <param name="cancellationToken">Stops the upload; the API keeps nothing of it.</param>
    public async Task<Answer<UploadedFile>> UploadAsync(
        Stream source,
        string name,
        string contentType,
        Action<long> sent,
        CancellationToken cancellationToken
    )
    {
        using var timeout = new InactivityTimeout(timeouts.Response, clock, cancellationToken);
        using var content = new FileContent(source, sent, timeout, timeouts.Idle);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"files?name={Uri.EscapeDataString(name)}") { Content = content };
        // This lets an API that refuses the upload (too large) say so before the bytes are sent.
        request.Headers.ExpectContinue = true;
        var answer = await SendAsync<UploadedFile>(request, timeout, cancellationToken);
        return string.Equals(answer.Value.Sha256, content.Sha256(), StringComparison.OrdinalIgnoreCase)
            ? answer
            : throw new ApiUnavailableException(
                $"The upload is damaged: SHA-256 sent {content.Sha256()}, stored {answer.Value.Sha256 ?? "unknown"} (file {answer.Value.Id})."
            );
    }

    /// <summary>Submits a task: <c>POST /heavy-tasks</c>.</summary>
    /// <param name="body">The JSON body.</param>
    /// <param name="idempotencyKey">Lets a repeat of the same request return the same task; null for none.</param>
    /// <param name="cancellationToken">Ends the wait; the task may exist nevertheless.</param>
    public async Task<Answer<HeavyTask>> SubmitAsync(ReadOnlyMemory<byte> body, string? idempotencyKey, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "heavy-tasks") { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (idempotencyKey is not null)
        {
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        }

        return await SendAsync<HeavyTask>(request, timeouts.Response, cancellationToken);
    }

    /// <summary>Reads a task: <c>GET /heavy-tasks/{id}</c>.</summary>
    public Task<Answer<HeavyTask>> GetAsync(Guid id, CancellationToken cancellationToken) =>
        GetAsync<HeavyTask>($"heavy-tasks/{id}", timeouts.Response, cancellationToken);

    /// <summary>
    /// Does the same as <see cref="GetAsync(Guid, CancellationToken)"/>, but gives up after <see cref="HttpTimeouts.Poll"/>.
    /// </summary>
    public Task<Answer<HeavyTask>> PollAsync(Guid id, CancellationToken cancellationToken) =>
        GetAsync<HeavyTask>($"heavy-tasks/{id}", timeouts.Poll, cancellationToken);

    /// <summary>Reads one page of tasks: <c>GET /heavy-tasks</c>.</summary>
    /// <param name="filter">Which tasks to list.</param>
    /// <param name="cursor">The <see cref="Page{T}.Next"/> of the page before; null for the first page.</param>
    /// <param name="limit">The number of tasks on the page.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task<Answer<Page<HeavyTask>>> ListAsync(TaskFilter filter, string? cursor, int limit, CancellationToken cancellationToken) =>
        GetPageAsync<HeavyTask>("heavy-tasks", limit, [.. filter.Query, ("cursor", cursor)], cancellationToken);

    /// <summary>Reads the last lines that the handler of a task logged: <c>GET /heavy-tasks/{id}/log</c>.</summary>
    public Task<Answer<HeavyTaskLog>> GetLogAsync(Guid id, int limit, int? attempt, CancellationToken cancellationToken) =>
        GetAsync<HeavyTaskLog>(
            string.Create(
                CultureInfo.InvariantCulture,
                $"heavy-tasks/{id}/log?limit={limit}{(attempt is { } number ? $"&attempt={number}" : "")}"
            ),
            timeouts.Response,
            cancellationToken
        );

    /// <summary>Lists the kinds: <c>GET /heavy-tasks/kinds</c>.</summary>
    public Task<Answer<IReadOnlyList<KindDescription>>> ListKindsAsync(CancellationToken cancellationToken) =>
        GetAsync<IReadOnlyList<KindDescription>>("heavy-tasks/kinds", timeouts.Response, cancellationToken);

    /// <summary>Pauses a kind on all workers, or lets it go on: <c>POST /heavy-tasks/kinds/{kind}/pause</c> or <c>/resume</c>.</summary>
    public Task<Answer<KindPause>> SetPausedAsync(string kind, bool isPaused, CancellationToken cancellationToken) =>
        PostAsync<KindPause>($"{KindPath(kind)}/{(isPaused ? "pause" : "resume")}", timeouts.Response, cancellationToken);

    /// <summary>Sets the slots of a kind on all workers: <c>PUT /heavy-tasks/kinds/{kind}/slots</c>.</summary>
    public async Task<Answer<KindSlots>> SetSlotsAsync(string kind, int? slots, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"{KindPath(kind)}/slots") { Content = Json(new NewKindSlots(slots)) };
        return await SendAsync<KindSlots>(request, timeouts.Response, cancellationToken);
    }

    /// <summary>Cancels tasks of a kind that wait, as many as one request may: <c>POST /heavy-tasks/kinds/{kind}/purge</c>.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="createdBefore">Only those that were submitted before (UTC); null for all.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    public Task<Answer<PurgedKind>> PurgeAsync(string kind, DateTime? createdBefore, CancellationToken cancellationToken) =>
        PostAsync<PurgedKind>(
            $"{KindPath(kind)}/purge{(createdBefore is { } time ? $"?createdBefore={Uri.EscapeDataString($"{time:o}")}" : "")}",
            timeouts.Purge,
            cancellationToken
        );

    /// <summary>Lists the services: <c>GET /services</c>.</summary>
    public Task<Answer<ServiceList>> ListServicesAsync(CancellationToken cancellationToken) =>
        GetAsync<ServiceList>("services", timeouts.Response, cancellationToken);

    /// <summary>Drains a worker, or lets it go on: <c>POST /services/{id}/drain</c> or <c>/resume</c>.</summary>
    public Task<Answer<WorkerDrain>> SetDrainedAsync(Guid id, bool isDrained, CancellationToken cancellationToken) =>
        PostAsync<WorkerDrain>($"services/{id}/{(isDrained ? "drain" : "resume")}", timeouts.Response, cancellationToken);

    /// <summary>Cancels a task: <c>POST /heavy-tasks/{id}/cancel</c>.</summary>
    public Task<Answer<HeavyTask>> CancelAsync(Guid id, CancellationToken cancellationToken) =>
        PostAsync<HeavyTask>($"heavy-tasks/{id}/cancel", timeouts.Response, cancellationToken);

    /// <summary>Runs a task again: <c>POST /heavy-tasks/{id}/retry</c>.</summary>
    public Task<Answer<HeavyTask>> RetryAsync(Guid id, CancellationToken cancellationToken) =>
        PostAsync<HeavyTask>($"heavy-tasks/{id}/retry", timeouts.Response, cancellationToken);

    /// <summary>Deletes a task that has ended: <c>DELETE /heavy-tasks/{id}</c>.</summary>
    public Task DeleteAsync(Guid id, CancellationToken cancellationToken) =>
        DeleteAsync($"heavy-tasks/{id}", "the deletion of a task", cancellationToken);

    /// <summary>Creates a key for a client: <c>POST /keys</c>.</summary>
    public async Task<Answer<CreatedApiKey>> CreateKeyAsync(NewApiKey key, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "keys") { Content = Json(key) };
        var answer = await SendAsync<CreatedApiKey>(request, timeouts.Response, cancellationToken);
        return answer.Value.Key is { Length: > 0 } ? answer : throw errors.NotTheApi("its answer has no key");
    }

    /// <summary>Lists the keys of clients: <c>GET /keys</c>.</summary>
    public Task<Answer<ApiKeyList>> ListKeysAsync(CancellationToken cancellationToken) =>
        GetAsync<ApiKeyList>("keys", timeouts.Response, cancellationToken);

    /// <summary>Reads one page of who did what: <c>GET /audit</c>.</summary>
    /// <param name="target">Lists only what was done to this task or key; null for all.</param>
    /// <param name="actor">Lists only what was done with this key; null for all.</param>
    /// <param name="cursor">The <see cref="Page{T}.Next"/> of the page before; null for the first page.</param>
    /// <param name="limit">The number of entries on the page.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task<Answer<Page<AuditEntry>>> ListAuditAsync(
        string? target,
        string? actor,
        string? cursor,
        int limit,
        CancellationToken cancellationToken
    ) => GetPageAsync<AuditEntry>("audit", limit, [("target", target), ("actor", actor), ("cursor", cursor)], cancellationToken);

    /// <summary>Revokes a key: <c>DELETE /keys/{id}</c>.</summary>
    public Task RevokeKeyAsync(string id, CancellationToken cancellationToken) =>
        DeleteAsync($"keys/{Uri.EscapeDataString(id)}", "the revocation of a key", cancellationToken);

    /// <summary>Opens a result file: <c>GET /heavy-tasks/{id}/result</c>. Returns when the headers have arrived.</summary>
    public async Task<ResultDownload> OpenResultAsync(Guid id, CancellationToken cancellationToken)
    {
        var timeout = new InactivityTimeout(timeouts.Response, clock, cancellationToken);
        HttpResponseMessage? response = null;
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"heavy-tasks/{id}/result");
            response = await SendAsync(request, timeout, cancellationToken);
            var tag = response.Headers.ETag?.Tag.Trim('"') ?? "";
            return tag.Length is 64 && tag.All(char.IsAsciiHexDigit)
                ? new ResultDownload(response, timeout, timeouts.Idle, tag, errors)
                : throw errors.NotTheApi("the result has no ETag with a SHA-256");
        }
        catch
        {
            response?.Dispose();
            timeout.Dispose();
            throw;
        }
    }

    public void Dispose() => http.Dispose();

    private async Task<Answer<T>> GetAsync<T>(string path, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        return await SendAsync<T>(request, limit, cancellationToken);
    }

    private Task<Answer<Page<T>>> GetPageAsync<T>(
        string path,
        int limit,
        (string Name, string? Value)[] filters,
        CancellationToken cancellationToken
    )
    {
        var query = filters
            .Where(filter => filter.Value is not null)
            .Select(filter => $"&{filter.Name}={Uri.EscapeDataString(filter.Value!)}");
        return GetAsync<Page<T>>(
            $"{path}?limit={limit.ToString(CultureInfo.InvariantCulture)}{string.Concat(query)}",
            timeouts.Response,
            cancellationToken
        );
    }

    private async Task<Answer<T>> PostAsync<T>(string path, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        return await SendAsync<T>(request, limit, cancellationToken);
    }

    private async Task DeleteAsync(string path, string what, CancellationToken cancellationToken)
    {
        using var timeout = new InactivityTimeout(timeouts.Response, clock, cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Delete, path);
        using var response = await SendAsync(request, timeout, cancellationToken);
        if (response.StatusCode is not HttpStatusCode.NoContent)
        {
            throw errors.NotTheApi($"it answers {(int)response.StatusCode} to {what}");
        }
    }

    private static string KindPath(string kind) => $"heavy-tasks/kinds/{Uri.EscapeDataString(kind)}";

    private static ReadOnlyMemoryContent Json<T>(T body) =>
        new(JsonSerializer.SerializeToUtf8Bytes(body, json)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    private async Task<Answer<T>> SendAsync<T>(HttpRequestMessage request, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var timeout = new InactivityTimeout(limit, clock, cancellationToken);
        return await SendAsync<T>(request, timeout, cancellationToken);
    }

    private async Task<Answer<T>> SendAsync<T>(HttpRequestMessage request, InactivityTimeout timeout, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(request, timeout, cancellationToken);
        var body = await ReadBodyAsync(response, timeout, cancellationToken);
        try
        {
            var root = JsonElement.Parse(body.Span);
            return new Answer<T>(root, root.Deserialize<T>(json) ?? throw errors.NotTheApi("its answer is null"));
        }
        catch (JsonException e)
        {
            throw errors.NotTheApi("its answer is not the expected JSON", e);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        InactivityTimeout timeout,
        CancellationToken cancellationToken
    )
    {
        var response = await errors.GuardAsync(
            () => http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token),
            timeout,
            cancellationToken
        );
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw errors.FromAnswer(response, await ReadErrorBodyAsync(response, timeout, cancellationToken));
        }
    }

    /// <summary>
    /// Reads the body of an error. A server that refuses an upload may close the connection before its answer arrived; then the status is
    /// enough.
    /// </summary>
    private async Task<ReadOnlyMemory<byte>> ReadErrorBodyAsync(
        HttpResponseMessage response,
        InactivityTimeout timeout,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await ReadBodyAsync(response, timeout, cancellationToken);
        }
        catch (ApiUnavailableException)
        {
            return default;
        }
    }

    private async Task<ReadOnlyMemory<byte>> ReadBodyAsync(
        HttpResponseMessage response,
        InactivityTimeout timeout,
        CancellationToken cancellationToken
    )
    {
        timeout.Restart();
        await using var body = await errors.GuardAsync(() => response.Content.ReadAsStreamAsync(timeout.Token), timeout, cancellationToken);
        var bytes = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (
            await errors.GuardAsync(() => body.ReadAsync(buffer, timeout.Token).AsTask(), timeout, cancellationToken) is > 0 and var count
        )
        {
            timeout.Restart();
            bytes.Write(buffer, 0, count);
            if (bytes.Length > MaxJsonLength)
            {
                throw errors.NotTheApi("its answer is longer than any of the API's");
            }
        }

        return bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
    }
}
