using System.Collections.Concurrent;
using System.Data.Common;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks;
using Platform.HeavyTasks.Http;
using Platform.Persistence;
using Platform.Support;

namespace Platform.Api.Tests.HeavyTasks;

/// <summary>Tasks that are submitted at the same time are saved together, and only the database notices.</summary>
public sealed class GroupCommitTests
{
    private const string Kind = "users.statistics";
    private const string Body = """{"kind":"users.statistics"}""";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task What_comes_while_a_save_is_under_way_is_saved_with_the_next_one_and_each_is_sent_once()
    {
        await using var api = await StartAsync();
        var groups = new ConcurrentQueue<int>();
        using var listener = Listen(api, groups);
        await using var held = await HeldSave.BeginAsync(api);
        var submitted = Enumerable.Range(0, 20).Select(_ => api.Client.SubmitTaskAsync()).ToArray();
        await held.WaitForAsync(waiting: 20);
        groups.ShouldBeEmpty();

        await held.EndAsync();

        var ids = await Task.WhenAll(submitted);
        (await held.Response).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        ids.Distinct().Count().ShouldBe(20);
        (await api.Database.CountAsync("heavy_tasks")).ShouldBe(21);
        groups.ShouldBe([1, 20]);
        await api.SettledAsync();
        ids.ShouldAllBe(id => api.RequestsFor(id) == 1);
    }

    [Fact]
    public async Task One_that_cannot_be_saved_does_not_spoil_the_others_of_its_group()
    {
        await using var api = await StartAsync();
        const string Key = "taken";
        using var first = await api.Client.SubmitAsync(Body, Key);
        await using var held = await HeldSave.BeginAsync(api);
        var others = Enumerable.Range(0, 8).Select(_ => api.Client.SubmitTaskAsync()).ToArray();
        var again = api.Client.SubmitAsync(Body, Key);
        var different = api.Client.SubmitAsync("""{"kind":"users.statistics","maxFailures":9}""", Key);
        var twice = new[] { api.Client.SubmitAsync(Body, "new"), api.Client.SubmitAsync(Body, "new") };
        await held.WaitForAsync(waiting: 12);

        await held.EndAsync();

        var ids = await Task.WhenAll(others);
        (await again).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await different).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await Task.WhenAll(twice)).Select(r => r.StatusCode).ShouldBe([HttpStatusCode.Accepted, HttpStatusCode.OK], ignoreOrder: true);

        // The rows are the first task, the held one, the eight, and one of the two.
        (await api.Database.CountAsync("heavy_tasks")).ShouldBe(11);
        await api.SettledAsync();
        ids.ShouldAllBe(id => api.RequestsFor(id) == 1);
    }

    [Fact]
    public async Task One_that_no_save_takes_in_time_is_told_to_come_back_and_is_never_saved()
    {
        await using var api = await StartAsync(("Database:AcquireTimeout", "00:00:01"));
        await using var held = await HeldSave.BeginAsync(api);

        var responses = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => api.Client.SubmitAsync(Body)));

        foreach (var response in responses)
        {
            await response.ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable);
            response.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));
        }

        held.Response.IsCompleted.ShouldBeFalse();
        await held.EndAsync();
        (await held.Response).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await api.Client.SubmitTaskAsync();
        (await api.Database.CountAsync("heavy_tasks")).ShouldBe(2);
    }

    [Fact]
    public async Task Second_save_goes_on_beside_one_that_stands_still()
    {
        await using var api = await StartAsync(("HeavyTasks:MaxConcurrentSaves", "2"));

        // On MySQL, a transaction that waits for a key holds back inserts between that key and the one before, where rows without a key
        // would otherwise go.
        using var before = await api.Client.SubmitAsync(Body, "before");
        await using var held = await HeldSave.BeginAsync(api);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => api.Client.SubmitTaskAsync())).WaitAsync(Patience);

        held.Response.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task Only_so_many_wait()
    {
        await using var api = await StartAsync();
        await using var held = await HeldSave.BeginAsync(api);
        var submitted = Enumerable.Range(0, 1_000).Select(_ => api.Client.SubmitTaskAsync()).ToArray();
        await held.WaitForAsync(waiting: 1_000);

        using var refused = await api.Client.SubmitAsync(Body);

        await refused.ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable);
        await held.EndAsync();
        await Task.WhenAll(submitted).WaitAsync(Patience);
        (await api.Database.CountAsync("heavy_tasks")).ShouldBe(1_001);
    }

    [Fact]
    public async Task Large_tasks_go_in_several_groups()
    {
        await using var api = await StartAsync();
        var groups = new ConcurrentQueue<int>();
        using var listener = Listen(api, groups);
        await using var held = await HeldSave.BeginAsync(api);
        var commit = api.Services.GetRequiredService<GroupCommit>();
        var submitted = Enumerable
            .Range(0, 30)
            .Select(_ => commit.SaveAsync(HeavyTask.Submit(Kind, new string('1', 60_000), 1, TimeProvider.System.GetUtcNow().UtcDateTime)))
            .ToArray();
        await held.WaitForAsync(waiting: 30);

        await held.EndAsync();

        await Task.WhenAll(submitted);
        groups.ShouldBe([1, 17, 13]);
    }

    [Fact]
    public async Task Each_message_belongs_to_the_trace_of_its_own_request()
    {
        await using var api = await StartAsync();
        var published = new ConcurrentBag<string>();
        using var traces = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "MassTransit" or "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStarted = activity =>
            {
                if (activity.Source.Name == "MassTransit")
                {
                    published.Add(activity.TraceId.ToHexString());
                }
            },
        };
        ActivitySource.AddActivityListener(traces);
        await using var held = await HeldSave.BeginAsync(api);
        var ids = Enumerable.Range(0, 5).Select(_ => ActivityTraceId.CreateRandom().ToHexString()).ToArray();
        var responses = ids.Select(id =>
            {
                var request = new HttpRequestMessage(HttpMethod.Post, "/heavy-tasks")
                {
                    Content = new StringContent(Body, mediaType: new("application/json")),
                    Headers = { { "traceparent", $"00-{id}-{ActivitySpanId.CreateRandom().ToHexString()}-01" } },
                };
                return api.Client.SendAsync(request);
            })
            .ToArray();
        await held.WaitForAsync(waiting: 5);

        await held.EndAsync();

        (await Task.WhenAll(responses)).ShouldAllBe(r => r.StatusCode == HttpStatusCode.Accepted);
        ids.ShouldBeSubsetOf(published);
    }

    [Fact]
    public async Task A_file_that_is_deleted_while_a_task_that_names_it_is_saved_is_like_one_that_was_deleted_before()
    {
        var deletion = new DeletionAfterLook();
        await using var api = await TestApi.StartAsync(services =>
            services.ConfigureDbContext<PlatformDbContext>(options => options.AddInterceptors(deletion))
        );
        using var uploaded = await api.Client.PostAsync("/files?name=a.csv", new ByteArrayContent([1]));
        var file = (await uploaded.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
        deletion.Delete = () => DeleteAsync(api.Database, file);

        var task = await api.Client.SubmitTaskAsync(
            """{"kind":"users.import","parameters":{"fileId":"FILE","columns":{"name":"n","externalId":"e"}}}""".Replace("FILE", $"{file}")
        );

        deletion.Delete.ShouldBeNull();
        await using var db = api.Database.CreateContext();
        (await db.HeavyTasks.AnyAsync(t => t.Id == task)).ShouldBeTrue();
        (await db.HeavyTaskFiles.AnyAsync()).ShouldBeFalse();
    }

    private static async Task DeleteAsync(TestDatabase database, Guid file)
    {
        await using var db = database.CreateContext();
        await db.FileChunks.Where(c => c.FileId == file).ExecuteDeleteAsync();
        (await db.Files.Where(f => f.Id == file).ExecuteDeleteAsync()).ShouldBe(1);
    }

    // There is one save at a time, so that every task that arrives while it is held waits for the next save.
    private static Task<TestApi> StartAsync(params (string Key, string Value)[] settings) =>
        TestApi.StartAsync(
            settings:
            [
                ("HeavyTasks:MaxConcurrentSaves", "1"),
                ("Database:AcquireTimeout", "00:00:30"),
                ("Database:CommandTimeout", "00:00:30"),
                .. settings,
            ]
        );

    private static MeterListener Listen(TestApi api, ConcurrentQueue<int> groups)
    {
        var listener = new MeterListener();
        var meters = api.Services.GetRequiredService<IMeterFactory>();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Name == "platform.heavy_task.saved_together" && instrument.Meter.Scope == meters)
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((_, count, _, _) => groups.Enqueue(count));
        listener.Start();
        return listener;
    }

    /// <summary>A save that hangs, because a transaction that has not ended inserted its key.</summary>
    private sealed class HeldSave : IAsyncDisposable
    {
        private const string Key = "held";

        private readonly TestApi api;
        private readonly PlatformDbContext other;
        private IDbContextTransaction? transaction;

        private HeldSave(TestApi api)
        {
            this.api = api;
            other = api.Database.CreateContext();
        }

        public Task<HttpResponseMessage> Response { get; private set; } = null!;

        public static async Task<HeldSave> BeginAsync(TestApi api)
        {
            var held = new HeldSave(api);
            held.transaction = await held.other.Database.BeginTransactionAsync();
            held.other.Add(HeavyTask.Submit(Kind, "{}", 1, TimeProvider.System.GetUtcNow().UtcDateTime, idempotencyKey: Key));
            await held.other.SaveChangesAsync();
            held.Response = api.Client.SubmitAsync(Body, Key);
            await held.WaitForAsync(waiting: 0);
            return held;
        }

        /// <summary>Waits until the save is under way and this many tasks wait for the next one.</summary>
        public Task WaitForAsync(int waiting) =>
            Eventually.Async(
                () => api.Services.GetRequiredService<GroupCommit>() is { Saves: 1 } commit && commit.Waiting == waiting,
                Patience
            );

        public async Task EndAsync()
        {
            await transaction!.DisposeAsync();
            transaction = null;
        }

        public async ValueTask DisposeAsync()
        {
            if (transaction is not null)
            {
                await transaction.DisposeAsync();
            }

            await other.DisposeAsync();
        }
    }

    /// <summary>Deletes something when the save has looked for the files that its tasks need, and before it writes.</summary>
    private sealed class DeletionAfterLook : DbCommandInterceptor
    {
        public Func<Task>? Delete { get; set; }

        public override async ValueTask<InterceptionResult> DataReaderClosingAsync(
            DbCommand command,
            DataReaderClosingEventData eventData,
            InterceptionResult result
        )
        {
            if (Delete is { } delete && command.CommandText.Contains("stored_files", StringComparison.Ordinal))
            {
                Delete = null;
                await delete();
            }

            return result;
        }
    }
}
