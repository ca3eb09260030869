using System.Collections.Concurrent;
using System.Net.Http.Headers;
using MassTransit;
using MassTransit.DependencyInjection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Platform.Contracts;
using Platform.HeavyTasks;
using Platform.Outbox;
using Platform.ServiceDefaults;
using Platform.Support;

namespace Platform.Api.Tests;

/// <summary>
/// The API on a real socket with its own database, and with MassTransit's in-memory transport in place of the broker. The outbox is the
/// real one: <see cref="Messages"/> contains what it sent.
/// </summary>
internal sealed class TestApi : IAsyncDisposable
{
    private static readonly string[] Kinds = ["users.import", "users.export", "users.statistics"];

    private readonly ConcurrentQueue<object> messages = new();
    private readonly ConcurrentDictionary<Guid, int> marks = new();
    private readonly WebApplicationFactory<Program> factory;

    private TestApi(TestDatabase database, Action<IServiceCollection>? configureServices, (string Key, string Value)[] settings)
    {
        Database = database;
        factory = new WebApplicationFactory<Program>().WithWebHostBuilder(host =>
        {
            host.UseSetting("ConnectionStrings:Platform", database.ConnectionString);
            host.UseSetting("urls", "http://127.0.0.1:0");
            host.UseSetting("RabbitMq:Uri", "amqp://127.0.0.1:1/");
            foreach (var (key, value) in settings)
            {
                host.UseSetting(key, value);
            }

            host.ConfigureLogging(logging => logging.ClearProviders());
            host.ConfigureTestServices(services =>
            {
                UseInMemoryBus(services);
                configureServices?.Invoke(services);
            });
        });
        factory.UseKestrel();
        factory.StartServer();
        Client = new HttpClient(new DocumentedAnswers(new SocketsHttpHandler()))
        {
            BaseAddress = factory.CreateClient().BaseAddress,
        }.WithTestKey();
    }

    public TestDatabase Database { get; }

    public HttpClient Client { get; }

    public IServiceProvider Services => factory.Services;

    /// <summary>Every message that arrived at a consumer, in no order.</summary>
    public IReadOnlyCollection<object> Messages => messages;

    public static async Task<TestApi> StartAsync(
        Action<IServiceCollection>? configureServices = null,
        params (string Key, string Value)[] settings
    )
    {
        var database = await TestDatabase.CreateAsync();
        try
        {
            return new TestApi(database, configureServices, settings);
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>Creates a client with this key; null for a client that sends none. The caller disposes it.</summary>
    public HttpClient ClientWith(string? key)
    {
        var client = new HttpClient(new DocumentedAnswers(new SocketsHttpHandler())) { BaseAddress = Client.BaseAddress };
        client.DefaultRequestHeaders.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    /// <summary>Creates a client with a new key. The caller disposes it.</summary>
    public async Task<HttpClient> ClientWithAsync(HeavyTaskRole roles, string tenant = "")
    {
        await using var db = Database.CreateContext();
        return ClientWith(await ApiKeys.CreateAsync(db, "a test", roles, tenant));
    }

    /// <summary>The requests to run this task that arrived at the queue of its kind.</summary>
    public int RequestsFor(Guid taskId) => messages.OfType<HeavyTaskRequested>().Count(m => m.TaskId == taskId);

    /// <summary>
    /// Waits until all messages have arrived: the outbox is empty, and a later message to each queue was consumed. Each queue keeps the
    /// order and delivers one message at a time.
    /// </summary>
    public async Task SettledAsync()
    {
        await Eventually.Async(async () => await Database.CountAsync("outbox_messages") == 0, TimeSpan.FromSeconds(30));
        var mark = Guid.NewGuid();
        marks[mark] = 0;
        var bus = Services.GetRequiredService<IBus>();
        await bus.Publish(new HeavyTaskCancelled(mark, "", 0));
        foreach (var kind in Kinds)
        {
            await bus.Publish(new HeavyTaskRequested(mark, kind));
        }

        await Eventually.Async(() => marks[mark] == Kinds.Length + 1, TimeSpan.FromSeconds(30));
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await factory.DisposeAsync();
        await Database.DisposeAsync();
    }

    private void UseInMemoryBus(IServiceCollection services)
    {
        // The harness replaces all of MassTransit, including what the outbox registered in its place. Without buses of its own, the outbox
        // sends with the ordinary bus.
        foreach (var bus in (Type[])[typeof(IPublishBus), typeof(IProbeBus)])
        {
            foreach (var service in services.Where(s => s.ServiceType == bus || s.ServiceType.GenericTypeArguments.Contains(bus)).ToList())
            {
                services.Remove(service);
            }
        }

        var outbox = services.Single(s => s.ServiceType == typeof(IScopedBusContextProvider<IBus>));
        services.AddMassTransitTestHarness(bus =>
        {
            bus.UsingInMemory(
                (registration, memory) =>
                {
                    memory.UseHeavyTaskTopology();
                    foreach (var kind in Kinds)
                    {
                        memory.ReceiveEndpoint(
                            HeavyTaskTopology.QueueName(kind),
                            endpoint =>
                            {
                                endpoint.ConcurrentMessageLimit = 1;
                                endpoint.BindHeavyTaskKind(registration, kind);
                                endpoint.Handler<HeavyTaskRequested>(context =>
                                {
                                    context.Message.Kind.ShouldBe(kind);
                                    return Remember(context.Message, context.Message.TaskId);
                                });
                            }
                        );
                    }

                    memory.ReceiveEndpoint(
                        "events",
                        endpoint =>
                        {
                            endpoint.ConcurrentMessageLimit = 1;
                            endpoint.Handler<HeavyTaskCancelled>(context => Remember(context.Message, context.Message.TaskId));
                        }
                    );
                }
            );
        });
        services.Replace(outbox);
    }

    private Task Remember(object message, Guid taskId)
    {
        if (marks.ContainsKey(taskId))
        {
            marks.AddOrUpdate(taskId, 1, (_, seen) => seen + 1);
        }
        else
        {
            messages.Enqueue(message);
        }

        return Task.CompletedTask;
    }
}
