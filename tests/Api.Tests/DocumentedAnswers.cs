using System.Net.Http.Headers;
using System.Text.Json;
using Platform.Support;

namespace Platform.Api.Tests;

/// <summary>
/// Fails every request whose answer the OpenAPI document does not have: its status, or its media type. So the whole suite tests the document.
/// </summary>
internal sealed class DocumentedAnswers(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private readonly SemaphoreSlim reading = new(1);
    private JsonElement? document;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        var paths = (await DocumentAsync(request.RequestUri!, request.Headers.Authorization, cancellationToken)).GetProperty("paths");
        var method = request.Method == HttpMethod.Head ? "get" : request.Method.Method.ToLowerInvariant();
        if (
            Find(paths, request.RequestUri!.AbsolutePath) is { } path
            && path.TryGetProperty(method, out var operation)
            && Fault(operation, response) is { } fault
        )
        {
            throw new InvalidOperationException($"{request.Method} {request.RequestUri.AbsolutePath} answered {fault}");
        }

        return response;
    }

    protected override void Dispose(bool disposing)
    {
        reading.Dispose();
        base.Dispose(disposing);
    }

    private static string? Fault(JsonElement operation, HttpResponseMessage response)
    {
        if (!operation.GetProperty("responses").TryGetProperty($"{(int)response.StatusCode}", out var documented))
        {
            return $"{(int)response.StatusCode}, which the OpenAPI document does not name.";
        }

        // The content of files has the type that they were uploaded with.
        var type = response.Content.Headers.ContentType?.MediaType;
        return
            type is null
            || documented.TryGetProperty("content", out var content)
                && (content.TryGetProperty(type, out _) || content.TryGetProperty("application/octet-stream", out _))
            ? null
            : $"{(int)response.StatusCode} with {type}, which the OpenAPI document does not name.";
    }

    // The document has the paths with literal segments before those with parameters.
    private static JsonElement? Find(JsonElement paths, string address)
    {
        var segments = address.TrimEnd('/').Split('/');
        var found = paths
            .EnumerateObject()
            .Where(path => Matches(path.Name.Split('/'), segments))
            .OrderBy(path => path.Name.Count(c => c == '{'))
            .ToList();
        return found.Count == 0 ? null : found[0].Value;
    }

    private static bool Matches(string[] template, string[] segments) =>
        template.Length == segments.Length && template.Zip(segments).All(pair => pair.First.StartsWith('{') || pair.First == pair.Second);

    private async Task<JsonElement> DocumentAsync(Uri address, AuthenticationHeaderValue? key, CancellationToken cancellationToken)
    {
        await reading.WaitAsync(cancellationToken);
        try
        {
            if (document is null)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, "/openapi/v1.json"))
                {
                    Headers = { Authorization = key ?? TestKey.Header },
                };
                using var response = await base.SendAsync(request, cancellationToken);
                document = JsonElement.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
            }

            return document.Value;
        }
        finally
        {
            reading.Release();
        }
    }
}
