using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Platform.Support;

namespace Platform.Faults.Tests;

/// <summary>
/// Submits tasks of several kinds through the API at a steady rate. Each request has an Idempotency-Key and is repeated until it is
/// answered, as clients do, so that it is known of every task whether it was accepted.
/// </summary>
public sealed class Load : IAsyncDisposable
{
    private const int MaxUnderWay = 200;

    private readonly Func<Uri> api;
    private readonly double perSecond;
    private readonly Random random;
    private readonly HttpClient client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) }.WithTestKey();
    private readonly ConcurrentDictionary<Guid, SubmittedTask> accepted = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly SemaphoreSlim underWay = new(MaxUnderWay);
    private readonly ConcurrentQueue<string> refused = new();
    private readonly Task running;
    private int number;
    private int extra;

    public Load(Func<Uri> api, int seed, double perSecond)
    {
        (this.api, this.perSecond, random) = (api, perSecond, new Random(seed));
        running = Task.Run(RunAsync);
    }

    public ICollection<SubmittedTask> Accepted => accepted.Values;

    /// <summary>Answers that the API must not give to such requests, whatever fails.</summary>
    public IReadOnlyCollection<string> Refused => refused;

    /// <summary>Submits one task beside the others, and waits until it is accepted.</summary>
    public Task SubmitAsync(Func<string, SubmittedTask> task) =>
        SubmitUntilAnsweredAsync(task($"task-extra-{Interlocked.Increment(ref extra)}"));

    /// <summary>Submits nothing more, and waits until every request is answered.</summary>
    public async Task StopAsync()
    {
        await stopping.CancelAsync();
        await running;
        for (var i = 0; i < MaxUnderWay; i++)
        {
            (await underWay.WaitAsync(TimeSpan.FromMinutes(3))).ShouldBeTrue("every request is answered");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        client.CancelPendingRequests();
        client.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        var due = 0.0;
        var last = TimeProvider.System.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(stopping.Token))
            {
                var now = TimeProvider.System.GetTimestamp();
                due = Math.Min(due + (perSecond * TimeProvider.System.GetElapsedTime(last, now).TotalSeconds), MaxUnderWay);
                last = now;
                for (; due >= 1 && underWay.Wait(0); due--)
                {
                    _ = SubmitAsync(Next());
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private SubmittedTask Next()
    {
        var name = $"task-{++number}";
        return random.Next(100) switch
        {
            0 => SubmittedTask.OfSteps(name),
            1 or 2 => new SubmittedTask("fault.deaf", name, 0, new { name, milliseconds = random.Next(1_500) }),
            < 8 => new SubmittedTask("fault.retry", name, 0, new { name }),
            _ => new SubmittedTask("fault.count", name, 0, new { name }),
        };
    }

    private async Task SubmitAsync(SubmittedTask task)
    {
        try
        {
            await SubmitUntilAnsweredAsync(task);
        }
        finally
        {
            underWay.Release();
        }
    }

    private async Task SubmitUntilAnsweredAsync(SubmittedTask task)
    {
        var key = Guid.NewGuid().ToString("N");
        while (await TrySubmitAsync(task, key) is var again && again)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, CancellationToken.None);
        }
    }

    private async Task<bool> TrySubmitAsync(SubmittedTask task, string key)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(api(), "/heavy-tasks"))
            {
                Content = JsonContent.Create(
                    new
                    {
                        task.Kind,
                        task.Parameters,
                        maxFailures = 100,
                    }
                ),
            };
            request.Headers.Add("Idempotency-Key", key);
            using var response = await client.SendAsync(request);
            if (response.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.OK)
            {
                var id = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
                accepted[id] = task with { Id = id };
                return false;
            }

            if (response.StatusCode != HttpStatusCode.ServiceUnavailable)
            {
                refused.Enqueue($"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
                return false;
            }

            return true;
        }
        catch (Exception exception)
            when (exception is HttpRequestException or OperationCanceledException or TimeoutException or IOException or JsonException)
        {
            return true;
        }
    }
}

/// <summary>A task as it was submitted.</summary>
/// <param name="Steps">The number of its effects; 0 when it has one, without a number.</param>
public sealed record SubmittedTask(string Kind, string Name, int Steps, object Parameters)
{
    private const int StepsOfATask = 12;

    public Guid Id { get; init; }

    /// <summary>Whether it writes a line for each step to its result file.</summary>
    public bool HasFile => Kind == "fault.steps";

    /// <summary>A task of several checkpoints.</summary>
    /// <param name="name">The name of its effects.</param>
    /// <param name="dieAt">Its first attempt kills its process at this step, having written to its result file.</param>
    public static SubmittedTask OfSteps(string name, int? dieAt = null) =>
        new(
            "fault.steps",
            name,
            StepsOfATask,
            new
            {
                name,
                steps = StepsOfATask,
                pauseMilliseconds = 400,
                dieAt,
            }
        );

    /// <summary>A task that writes many rows in one bulk load.</summary>
    public static SubmittedTask OfRows(string name, int rows) => new("fault.bulk", name, rows, new { name, rows });
}
