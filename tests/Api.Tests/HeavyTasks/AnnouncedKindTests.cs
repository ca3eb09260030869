using System.Net;
using System.Text.Json;
using Platform.Contracts;
using Platform.Support;

namespace Platform.Api.Tests.HeavyTasks;

/// <summary>Kinds that the API was not built with, and that a worker announced in the database.</summary>
public sealed class AnnouncedKindTests : IAsyncLifetime
{
    private TestApi api = null!;

    public async ValueTask InitializeAsync() => api = await TestApi.StartAsync();

    public ValueTask DisposeAsync() => api.DisposeAsync();

    [Fact]
    public async Task A_kind_is_accepted_as_soon_as_it_is_announced_with_names_and_members_as_its_record_has_them()
    {
        using (var early = await api.Client.SubmitAsync("""{"kind":"reports.print"}"""))
        {
            await early.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "kind");
        }

        await AnnounceAsync<PrintParameters>("reports.print");

        Guid id = default;
        await Eventually.Async(
            async () =>
            {
                using var response = await api.Client.SubmitAsync(
                    """{"kind":"reports.print","parameters":{"COPIES":2.0,"paper":"a4","Title":"é","when":"2030-01-01","page":{"WIDTH":3}}}"""
                );
                id =
                    response.StatusCode == HttpStatusCode.Accepted
                        ? (await response.ShouldBeJsonAsync(HttpStatusCode.Accepted)).GetProperty("id").GetGuid()
                        : default;
                return id != default;
            },
            TimeSpan.FromSeconds(10),
            "the kind is found"
        );

        var task = await api.FindTaskAsync(id);
        task.Kind.ShouldBe("reports.print");
        task.Parameters.ShouldBe("""{"title":"\u00E9","copies":2,"paper":"A4","when":"2030-01-01","page":{"width":3}}""");

        // The worker reads them without a fault.
        var read = JsonSerializer.Deserialize<PrintParameters>(task.Parameters, HeavyTaskJson.Options)!;
        (read.Title, read.Copies, read.Paper, read.Page!.Width).ShouldBe(("é", 2, Paper.A4, 3));
    }

    [Fact]
    public async Task An_unknown_kind_gets_a_list_of_those_that_are_built_in_and_announced_which_has_an_end()
    {
        await AnnounceAsync<PrintParameters>("reports.print");

        using (var response = await api.Client.SubmitAsync("""{"kind":"reports.prnt"}"""))
        {
            Sentence(await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "kind"))
                .ShouldBe("There is no such kind. Known kinds: reports.print, users.export, users.import, users.statistics.");
        }

        for (var number = 0; number < 60; number++)
        {
            await AnnounceAsync<PrintParameters>($"a.kind-{number:00}");
        }

        await Eventually.Async(
            async () =>
            {
                using var response = await api.Client.SubmitAsync("""{"kind":"reports.prnt"}""");
                var sentence = Sentence(await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "kind"));
                return sentence.EndsWith("a.kind-49 and 14 more.", StringComparison.Ordinal);
            },
            TimeSpan.FromSeconds(10),
            "the list has an end"
        );

        static string Sentence(JsonElement problem) => problem.GetProperty("errors").GetProperty("kind")[0].GetString()!;
    }

    [Fact]
    public async Task Kinds_list_both_and_what_the_API_was_built_with_wins()
    {
        await AnnounceAsync<PrintParameters>("reports.print", "Prints.");
        await AnnounceAsync<PrintParameters>("users.statistics", "Something else.");

        var kinds = (await api.Client.GetJsonAsync("/heavy-tasks/kinds")).EnumerateArray().ToList();

        kinds
            .Select(kind => kind.GetProperty("kind").GetString())
            .ShouldBe(["reports.print", "users.export", "users.import", "users.statistics"]);
        kinds[0].GetProperty("description").GetString().ShouldBe("Prints.");
        kinds[0].GetProperty("parameters").GetProperty("required")[0].GetString().ShouldBe("title");
        kinds[3].GetProperty("description").GetString().ShouldNotBe("Something else.");
        (await api.Client.SubmitTaskAsync("""{"kind":"users.statistics","parameters":{}}""")).ShouldNotBe(Guid.Empty);
    }

    [Fact]
    public async Task A_schema_that_is_announced_anew_replaces_the_one_before()
    {
        await AnnounceAsync<PrintParameters>("reports.print");
        (await api.Client.SubmitTaskAsync("""{"kind":"reports.print","parameters":{"title":"a"}}""")).ShouldNotBe(Guid.Empty);

        await AnnounceAsync<PrintParametersOfNextVersion>("reports.print");

        await Eventually.Async(
            async () =>
            {
                using var old = await api.Client.SubmitAsync("""{"kind":"reports.print","parameters":{"title":"a"}}""");
                return old.StatusCode == HttpStatusCode.BadRequest;
            },
            TimeSpan.FromSeconds(20),
            "the old parameters are refused"
        );
        (await api.Client.SubmitTaskAsync("""{"kind":"reports.print","parameters":{"heading":"a"}}""")).ShouldNotBe(Guid.Empty);
    }

    [Fact]
    public async Task A_repeat_in_another_spelling_is_the_same_request()
    {
        await AnnounceAsync<PrintParameters>("reports.print");
        var key = $"{Guid.NewGuid()}";

        using var first = await api.Client.SubmitAsync("""{"kind":"reports.print","parameters":{"title":"a","paper":"A4"}}""", key);
        using var second = await api.Client.SubmitAsync("""{"kind":"reports.print","parameters":{"Paper":"a4","TITLE":"a"}}""", key);
        using var other = await api.Client.SubmitAsync("""{"kind":"reports.print","parameters":{"title":"b","paper":"A4"}}""", key);

        first.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        second.StatusCode.ShouldBe(HttpStatusCode.OK);
        other.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task Announced_kinds_are_not_for_clients_where_the_setting_says_so()
    {
        await using var closed = await TestApi.StartAsync(null, ("HeavyTasks:AcceptAnnouncedKinds", "false"));
        await closed.AnnounceAsync<PrintParameters>("reports.print");

        using var response = await closed.Client.SubmitAsync("""{"kind":"reports.print"}""");

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "kind");
        (await closed.Client.GetJsonAsync("/heavy-tasks/kinds")).GetArrayLength().ShouldBe(3);
    }

    private Task AnnounceAsync<TParameters>(string name, string description = "") => api.AnnounceAsync<TParameters>(name, description);
}
