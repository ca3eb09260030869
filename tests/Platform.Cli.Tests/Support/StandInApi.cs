using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.Cli.Tests.Support;

/// <summary>
/// A real HTTP server on loopback that answers as a test says. The tests are about the command line as an HTTP client: they need answers
/// that are late, broken, damaged or absent, which the real API gives only when it is broken itself. <see cref="RealApiTests"/>, and the demo in
/// run.sh, prove that the two agree on the contract.
/// </summary>
internal sealed class StandInApi : IAsyncDisposable
{
    private readonly RequestDelegate answer;
    private WebApplication? server;

    private StandInApi(RequestDelegate answer) => this.answer = answer;

    /// <summary>The address that the server listens on; the same after a restart.</summary>
    public string Url { get; private set; } = "http://127.0.0.1:0";

    /// <summary>The method and the path with query of every request so far.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public static async Task<StandInApi> StartAsync(RequestDelegate answer)
    {
        var api = new StandInApi(answer);
        await api.StartAsync();
        return api;
    }

    /// <summary>Answers every request with one JSON body.</summary>
    public static Task<StandInApi> StartAsync(string json, int status = 200) => StartAsync(context => AnswerAsync(context, json, status));

    public static async Task AnswerAsync(HttpContext context, string json, int status = 200)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = status < 400 ? "application/json" : "application/problem+json";
        await context.Response.WriteAsync(json);
    }

    /// <summary>Sends nothing (more) until the client gives up.</summary>
    public static async Task SilenceAsync(HttpContext context)
    {
        var gone = new TaskCompletionSource();
        await using var registration = context.RequestAborted.Register(gone.SetResult);
        await gone.Task;
    }

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.Listen(IPAddress.Loopback, new Uri(Url).Port);
                kestrel.Limits.MaxRequestBodySize = null;
                kestrel.Limits.MinRequestBodyDataRate = null;
            });
        server = builder.Build();
        server.Run(context =>
        {
            Requests.Enqueue($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString}");
            return answer(context);
        });
        await server.StartAsync();
        var addresses = server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        Url = addresses.Addresses.Single();
    }

    /// <summary>Closes the port and breaks off all answers.</summary>
    public async Task StopAsync()
    {
        if (server is not null)
        {
            using var now = new CancellationTokenSource();
            await now.CancelAsync();
            await server.StopAsync(now.Token);
            await server.DisposeAsync();
            server = null;
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync();
}
