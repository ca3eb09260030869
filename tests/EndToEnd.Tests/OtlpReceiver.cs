using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Platform.EndToEnd.Tests;

/// <summary>A span as it arrived. Ids in hexadecimal; <see cref="ParentId"/> is empty for a root.</summary>
public sealed record ReceivedSpan(string Service, string Scope, string Name, string TraceId, string Id, string ParentId)
{
    /// <summary>The attributes that are text or whole numbers.</summary>
    public required IReadOnlyDictionary<string, string> Attributes { get; init; }
}

/// <summary>Receives OTLP over HTTP and keeps span and metric names. Reads only the few protobuf fields that the tests look at.</summary>
public sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication app;

    private OtlpReceiver(WebApplication app) => this.app = app;

    public ConcurrentQueue<ReceivedSpan> Spans { get; } = [];

    public ConcurrentDictionary<(string Service, string Metric), bool> Metrics { get; } = [];

    /// <summary>Everything that arrived, as it was sent.</summary>
    public ConcurrentQueue<byte[]> Bodies { get; } = [];

    public Uri Address { get; private set; } = null!;

    public static async Task<OtlpReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var receiver = new OtlpReceiver(builder.Build());
        receiver.app.MapPost("/v1/traces", request => receiver.ReceiveAsync(request, receiver.AddSpans));
        receiver.app.MapPost("/v1/metrics", request => receiver.ReceiveAsync(request, receiver.AddMetrics));
        await receiver.app.StartAsync();
        receiver.Address = new Uri(
            receiver.app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()
        );
        return receiver;
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private async Task ReceiveAsync(HttpContext context, Action<byte[]> add)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        Bodies.Enqueue(body.ToArray());
        add(body.ToArray());
        context.Response.ContentType = "application/x-protobuf";
    }

    // ExportTraceServiceRequest.1 ResourceSpans { 1 resource, 2 ScopeSpans { 1 scope, 2 Span { 1 trace, 2 id, 4 parent, 5 name, 9 KeyValue } } }
    private void AddSpans(byte[] request)
    {
        foreach (var resourceSpans in Fields(request, 1))
        {
            var service = ServiceName(resourceSpans);
            foreach (var scopeSpans in Fields(resourceSpans, 2))
            {
                var scope = Fields(scopeSpans, 1).SelectMany(s => Fields(s, 1)).Select(Text).FirstOrDefault("");
                foreach (var span in Fields(scopeSpans, 2))
                {
                    Spans.Enqueue(
                        new ReceivedSpan(
                            service,
                            scope,
                            Text(Field(span, 5)),
                            Hex(Field(span, 1)),
                            Hex(Field(span, 2)),
                            Hex(Field(span, 4))
                        )
                        {
                            Attributes = Fields(span, 9).ToDictionary(a => Text(Field(a, 1)), a => Value(Field(a, 2))),
                        }
                    );
                }
            }
        }
    }

    // ExportMetricsServiceRequest.1 ResourceMetrics { 1 resource, 2 ScopeMetrics { 2 Metric { 1 name } } }
    private void AddMetrics(byte[] request)
    {
        foreach (var resourceMetrics in Fields(request, 1))
        {
            var service = ServiceName(resourceMetrics);
            foreach (var metric in Fields(resourceMetrics, 2).SelectMany(scope => Fields(scope, 2)))
            {
                Metrics[(service, Text(Field(metric, 1)))] = true;
            }
        }
    }

    // Resource { 1 KeyValue { 1 key, 2 AnyValue { 1 string } } }
    private static string ServiceName(byte[] owner) =>
        Fields(owner, 1)
            .SelectMany(resource => Fields(resource, 1))
            .Where(attribute => Text(Field(attribute, 1)) == "service.name")
            .Select(attribute => Text(Field(Field(attribute, 2), 1)))
            .FirstOrDefault("");

    // AnyValue { 1 string, 3 int }
    private static string Value(byte[] value)
    {
        var position = 1;
        return value is [3 << 3, ..] ? $"{Varint(value, ref position)}" : Text(Field(value, 1));
    }

    private static byte[] Field(byte[] message, int number) => Fields(message, number).FirstOrDefault([]);

    private static IEnumerable<byte[]> Fields(byte[] message, int number)
    {
        var position = 0;
        while (position < message.Length)
        {
            var tag = Varint(message, ref position);
            switch (tag & 7)
            {
                case 0:
                    Varint(message, ref position);
                    break;
                case 1:
                    position += 8;
                    break;
                case 5:
                    position += 4;
                    break;
                case 2:
                    var length = (int)Varint(message, ref position);
                    if ((int)(tag >> 3) == number)
                    {
                        yield return message[position..(position + length)];
                    }

                    position += length;
                    break;
                default:
                    throw new FormatException($"Unknown protobuf wire type {tag & 7}.");
            }
        }
    }

    private static ulong Varint(byte[] message, ref int position)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var part = message[position++];
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }
    }

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
