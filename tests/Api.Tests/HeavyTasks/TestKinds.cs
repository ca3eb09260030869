using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;

namespace Platform.Api.Tests.HeavyTasks;

/// <summary>Announces kinds as a worker does.</summary>
internal static class TestKinds
{
    public static string Schema<TParameters>() => ParameterSchema.Of(typeof(TParameters)).ToJsonString();

    public static Task AnnounceAsync<TParameters>(this TestApi api, string name, string description = "") =>
        api.AnnounceAsync(name, description, Schema<TParameters>());

    public static async Task AnnounceAsync(this TestApi api, string name, string description, string schema)
    {
        await using var db = api.Database.CreateContext();
        await db.Database.ExecuteSqlRawAsync(
            Dialect.Current.AnnounceKind(EngineTables.Of(db)),
            [name, description, schema, "test-worker"],
            TestContext.Current.CancellationToken
        );
    }
}
