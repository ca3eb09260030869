using System.Net;
using System.Text.Json;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Api.Tests.Users;

public sealed class UserTests : IAsyncLifetime
{
    private TestApi api = null!;
    private long id;

    public async ValueTask InitializeAsync()
    {
        api = await TestApi.StartAsync();
        await using var db = api.Database.CreateContext();
        var ada = new User
        {
            ExternalId = "A-1",
            Name = "Ada",
            Email = "ada+1@example.org",
            Country = "GB",
            SignedUpAt = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc),
        };
        db.Users.AddRange(ada, new User { ExternalId = "B-1", Name = "Bea" });
        await db.SaveChangesAsync();
        id = ada.Id;
    }

    public ValueTask DisposeAsync() => api.DisposeAsync();

    [Theory]
    [InlineData("/users/99")]
    [InlineData("/users/ada")]
    [InlineData("/users/99999999999999999999")]
    [InlineData("/users?email=nobody@example.org")]
    public async Task Unknown_user_is_not_found(string address)
    {
        using var response = await api.Client.GetAsync(address);

        await response.ShouldBeProblemAsync(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("/users")]
    [InlineData("/users?email=")]
    [InlineData("/users?email=a%00b")]
    [InlineData("/users?email=a&email=b")]
    public async Task Search_without_an_address_names_the_parameter(string address)
    {
        using var response = await api.Client.GetAsync(address);

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "email");
    }

    [Theory]
    [InlineData("/users/%20ID")]
    [InlineData("/users/ID%20")]
    [InlineData("/users/%09ID")]
    [InlineData("/users/+ID")]
    [InlineData("/users/0ID")]
    public async Task User_has_one_address(string address)
    {
        using var response = await api.Client.GetAsync(address.Replace("ID", $"{id}"));

        await response.ShouldBeProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Overlong_address_is_refused()
    {
        using var response = await api.Client.GetAsync($"/users?email={new string('a', 321)}");

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "email");
    }

    [Fact]
    public async Task User_is_found_by_id_and_by_address()
    {
        var expected = JsonElement.Parse(
            $$"""{"id":{{id}},"externalId":"A-1","name":"Ada","email":"ada+1@example.org","country":"GB","signedUpAt":"2026-01-02T03:04:05Z"}"""
        );

        JsonElement.DeepEquals(await api.Client.GetJsonAsync($"/users/{id}"), expected).ShouldBeTrue();
        JsonElement.DeepEquals(await api.Client.GetJsonAsync("/users?email=ada%2B1@example.org"), expected).ShouldBeTrue();
    }
}
