using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using Platform.HeavyTasks;
using Platform.HeavyTasks.Dashboard;
using Platform.HeavyTasks.Http;

namespace Platform.Dashboard.Tests.Components;

/// <summary>The form that a JSON schema describes, and the parameters that it makes of what somebody enters.</summary>
public sealed class FormFieldTests
{
    private static IReadOnlyList<FormField> Fields { get; } = FormField.Of(ParameterSchema.Of(typeof(Everything)))!;

    [Theory]
    [InlineData("name", FieldInput.Text, true)]
    [InlineData("note", FieldInput.Text, false)]
    [InlineData("count", FieldInput.Number, false)]
    [InlineData("share", FieldInput.Number, false)]
    [InlineData("isDry", FieldInput.Boolean, false)]
    [InlineData("colour", FieldInput.Choice, false)]
    [InlineData("otherColour", FieldInput.Choice, false)]
    [InlineData("fileId", FieldInput.File, true)]
    [InlineData("secondFileId", FieldInput.File, false)]
    [InlineData("userId", FieldInput.Text, false)]
    [InlineData("from", FieldInput.Text, false)]
    [InlineData("names", FieldInput.Json, false)]
    [InlineData("inner", FieldInput.Group, false)]
    public void Each_type_is_entered_in_its_own_way(string name, object input, bool isRequired)
    {
        var field = Fields.Single(f => f.Name == name);

        (field.Input, field.IsRequired).ShouldBe(((FieldInput)input, isRequired));
    }

    [Fact]
    public void A_choice_offers_the_values_and_not_null()
    {
        Fields.Single(f => f.Name == "colour").Choices.ShouldBe(["Red", "Green"]);
        Fields.Single(f => f.Name == "otherColour").Choices.ShouldBe(["Red", "Green"]);
    }

    [Fact]
    public void Values_to_choose_from_that_are_no_text_are_entered_as_json()
    {
        var field = FormField.Of(JsonNode.Parse("""{"properties": {"level": {"enum": [1, 2, 3]}}}""")!)!.Single();

        field.Input.ShouldBe(FieldInput.Json);
        FormField.Build([field], Entered(("level", "2")))["level"]!.GetValueKind().ShouldBe(JsonValueKind.Number);
    }

    [Fact]
    public void Members_of_members_have_their_path_and_the_deepest_are_json()
    {
        var inner = Fields.Single(f => f.Name == "inner");
        inner.Fields.Select(f => (f.Path, f.Input)).ShouldBe([("inner.size", FieldInput.Number), ("inner.deeper", FieldInput.Group)]);

        inner
            .Fields[1]
            .Fields.Single()
            .ShouldSatisfyAllConditions(
                deepest => deepest.Path.ShouldBe("inner.deeper.deepest"),
                deepest => deepest.Input.ShouldBe(FieldInput.Json)
            );
    }

    [Theory]
    [InlineData("""{"type": "string"}""")]
    [InlineData("true")]
    public void Parameters_that_are_no_object_are_entered_as_json(string schema) => FormField.Of(JsonNode.Parse(schema)!).ShouldBeNull();

    [Theory]
    [InlineData("true")]
    [InlineData("""{"type": ["string", "integer"]}""")]
    [InlineData("""{"$ref": "#/other"}""")]
    [InlineData("""{"type": "array", "items": {"type": "string"}}""")]
    [InlineData("""{"type": "object"}""")]
    public void What_no_input_fits_is_entered_as_json(string schema) =>
        FormField.Of(JsonNode.Parse("{\"properties\": {\"any\": " + schema + "}}")!)!.Single().Input.ShouldBe(FieldInput.Json);

    [Fact]
    public void What_is_entered_has_the_types_of_the_schema_and_what_is_left_empty_is_left_out()
    {
        var built = FormField.Build(
            Fields,
            Entered(
                ("name", "12"),
                ("note", ""),
                ("count", "12"),
                ("share", "0.5"),
                ("isDry", "false"),
                ("colour", "Green"),
                ("names", "[\"a\", \"b\"]"),
                ("inner.size", "3")
            )
        );

        built
            .ToJsonString()
            .ShouldBe("""{"name":"12","count":12,"share":0.5,"isDry":false,"colour":"Green","names":["a","b"],"inner":{"size":3}}""");
    }

    [Fact]
    public void A_number_that_is_none_is_sent_as_it_was_entered_so_that_the_answer_names_it() =>
        FormField.Build(Fields, Entered(("count", "many")))["count"]!.GetValue<string>().ShouldBe("many");

    [Fact]
    public void Json_that_is_none_is_told() => Should.Throw<JsonException>(() => FormField.Build(Fields, Entered(("names", "[\"a\""))));

    [Fact]
    public void What_was_submitted_before_comes_back_as_it_was()
    {
        const string Given =
            """{"name":"n","count":7,"isDry":true,"colour":"Red","names":["x"],"inner":{"size":1,"deeper":{"deepest":{"end":5}}}}""";
        var values = new Dictionary<string, string>();

        FormField.Fill(Fields, JsonElement.Parse(Given), values);

        FormField.Build(Fields, values).ToJsonString().ShouldBe(Given);
    }

    [Theory]
    [InlineData("""{"fileId": null, "note": null, "inner": null}""")]
    [InlineData("""{"inner": "no object"}""")]
    [InlineData("[]")]
    public void What_was_submitted_before_and_fits_no_more_is_left_out(string given)
    {
        var values = new Dictionary<string, string>();

        FormField.Fill(Fields, JsonElement.Parse(given), values);

        values.ShouldBeEmpty();
    }

    private static Dictionary<string, string> Entered(params (string Path, string Text)[] values) =>
        values.ToDictionary(value => value.Path, value => value.Text);

    internal sealed record Everything(
        [property: Required] string Name,
        [property: Required] Guid? FileId,
        string? Note = null,
        [property: Range(1, 100)] int Count = 1,
        [property: Range(0.0, 1.0)] double? Share = null,
        bool IsDry = false,
        Colour Colour = Colour.Red,
        Colour? OtherColour = null,
        Guid? SecondFileId = null,
        Guid? UserId = null,
        DateTime? From = null,
        IReadOnlyList<string>? Names = null,
        Inner? Inner = null
    );

    internal enum Colour
    {
        Red,
        Green,
    }

    internal sealed record Inner(int Size = 0, Deeper? Deeper = null);

    internal sealed record Deeper(Deepest? Deepest = null);

    internal sealed record Deepest(int End = 0);
}
