using System.Net;
using Platform.Api.Tests.HeavyTasks;

namespace Platform.Api.Tests;

/// <summary>What every address does with methods and with what a client accepts.</summary>
public sealed class MethodTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly TestApi api = fixture.Api;

    [Theory]
    [InlineData("/heavy-tasks")]
    [InlineData("/heavy-tasks?limit=0")]
    [InlineData("/heavy-tasks/kinds")]
    [InlineData("/heavy-tasks/TASK")]
    [InlineData("/heavy-tasks/TASK/result")]
    [InlineData("/heavy-tasks/0199f2a0-0000-7000-8000-000000000001")]
    [InlineData("/files/0199f2a0-0000-7000-8000-000000000001")]
    [InlineData("/users/1")]
    [InlineData("/users")]
    [InlineData("/services")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    [InlineData("/nothing")]
    public async Task HEAD_is_answered_as_GET_without_a_body(string address)
    {
        address = address.Replace("TASK", $"{await api.SucceededWithFileAsync([1, 2, 3])}");

        using var get = await api.Client.GetAsync(address);
        using var head = await api.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, address));

        head.StatusCode.ShouldBe(get.StatusCode);
        head.Content.Headers.ContentType.ShouldBe(get.Content.Headers.ContentType);
        (await head.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("POST", "/health/live")]
    [InlineData("DELETE", "/health/ready")]
    [InlineData("PUT", "/openapi/v1.json")]
    [InlineData("HEAD", "/files")]
    [InlineData("POST", "/services")]
    public async Task Other_methods_are_refused(string method, string address)
    {
        using var response = await api.Client.SendAsync(new HttpRequestMessage(new HttpMethod(method), address));

        response.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
    }

    [Theory]
    [InlineData("text/csv")]
    [InlineData("image/png")]
    [InlineData("application/xml;q=0.5, text/html")]
    [InlineData("nonsense")]
    [InlineData("*/*;q=0")]
    public async Task Error_is_a_problem_document_whatever_the_client_accepts(string accept)
    {
        using (var response = await SendAsync(HttpMethod.Get, "/nothing"))
        {
            await response.ShouldBeProblemAsync(HttpStatusCode.NotFound);
        }

        using (var response = await SendAsync(HttpMethod.Delete, "/heavy-tasks"))
        {
            await response.ShouldBeProblemAsync(HttpStatusCode.MethodNotAllowed);
        }

        using (var response = await SendAsync(HttpMethod.Get, "/heavy-tasks?limit=0"))
        {
            await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest);
        }

        using (var response = await SendAsync(HttpMethod.Post, "/heavy-tasks", new StringContent("{}")))
        {
            await response.ShouldBeProblemAsync(HttpStatusCode.UnsupportedMediaType);
        }

        using (
            var response = await SendAsync(
                HttpMethod.Post,
                "/heavy-tasks",
                new StringContent(new string(' ', 70_000), mediaType: new("application/json"))
            )
        )
        {
            await response.ShouldBeProblemAsync(HttpStatusCode.RequestEntityTooLarge);
        }

        Task<HttpResponseMessage> SendAsync(HttpMethod method, string address, HttpContent? content = null)
        {
            var request = new HttpRequestMessage(method, address) { Content = content };
            request.Headers.TryAddWithoutValidation("Accept", accept).ShouldBeTrue();
            return api.Client.SendAsync(request);
        }
    }

    [Theory]
    [InlineData("%20ID")]
    [InlineData("ID%20")]
    [InlineData("{ID}")]
    [InlineData("(ID)")]
    public async Task Task_has_one_address(string id)
    {
        var address = $"/heavy-tasks/{id.Replace("ID", $"{await api.Client.SubmitTaskAsync()}")}";

        using var response = await api.Client.GetAsync(address);

        await response.ShouldBeProblemAsync(HttpStatusCode.NotFound);
    }
}
