using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Platform.Persistence.PostgreSql.Migrations
{
    /// <inheritdoc />
    public partial class ConnectionHolders : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "connection_holders",
                table: "instances",
                type: "character varying(4000)",
                maxLength: 4000,
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "connection_holders",
                table: "instances");
        }
    }
}
